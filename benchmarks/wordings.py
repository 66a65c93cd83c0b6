"""Measure whether different wordings of a request get the same result, with sentences that people wrote.

    python benchmarks/wordings.py SENTENCES.json data.images=... data.annotations=... [--model M]
        [--count 300]

SENTENCES.json is a list of objects with `sent`, a referring expression (of RefCOCOg, say). Each is asked
about a validation image that shows its category, in the forms of WORDINGS, and, for comparison, next to a
sentence about another object of the category. The table has, for each form, how often both texts find a
target or both find none, and the mean IoU of their masks if either finds one.
"""

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from dmmi_core import Segmenter
from dmmi_core.cli.program import aligned
from dmmi_core.data.refzom.category_terms import Vocabulary
from dmmi_core.data.refzom.subject import read_text
from dmmi_core.data.samples import read_image
from dmmi_core.data.sources import held_out_scenes
from dmmi_core.data.synthesis.scenes import Scene
from dmmi_core.evaluation.metrics import overlap
from dmmi_core.result import Result, Status
from dmmi_core.training.recipe import read_recipe

RECIPE = Path(__file__).parents[1] / "training" / "dmmi-lite.yaml"
WORDINGS: dict[str, Callable[[str], str]] = {
    "please find ...": lambda text: f"please find {text}",
    "where is ...?": lambda text: f"where is {text}?",
    "can you show me ...": lambda text: f"can you show me {text}",
    "... in the picture": lambda text: f"{text} in the picture",
    "a -> the": lambda text: re.sub(r"^an? ", "the ", text),
    "no article": lambda text: re.sub(r"^(an?|the) ", "", text),
    "CAPITALS": str.upper,
    "full stop": lambda text: f"{text}.",
}
TextPair = tuple[str, str, str]
"""An image's file name and two texts."""


def subject_of(sentence: str, vocabulary: Vocabulary) -> str | None:
    """Return the category that a sentence is about, or None if it is not exactly one."""
    subjects = read_text(sentence, vocabulary).subjects
    categories = {category for subject in subjects for category in subject.term.categories}
    return categories.pop() if len(categories) == 1 else None


def text_pairs(
    sentences: Sequence[str], scenes: Sequence[Scene], rng: np.random.Generator
) -> dict[str, list[TextPair]]:
    """Return the pairs of texts to compare, by form."""
    vocabulary = Vocabulary({o.category for scene in scenes for o in scene.objects})
    images = defaultdict(list)
    for scene in scenes:
        for category in sorted({o.category for o in scene.objects}):
            images[category].append(scene.image)
    said = [(subject_of(sentence, vocabulary), sentence) for sentence in sentences]
    said = sorted(pair for pair in said if pair[0] in images)
    found = defaultdict(list)
    for (category, sentence), (other_category, other_sentence) in pairwise(said):
        image = rng.choice(images[category])
        for name, reword in WORDINGS.items():
            if (other := reword(sentence)) != sentence:
                found[name].append((image, sentence, other))
        if category == other_category:
            found["about another object"].append((image, sentence, other_sentence))
    return found


def compare(pairs: Iterable[tuple[Result, Result]]) -> list[str]:
    """Return the number of pairs, the percentage of equal status, and the mean IoU if either has a mask."""
    same, overlaps = [], []
    for first, second in pairs:
        same.append((first.status == Status.NO_TARGET) == (second.status == Status.NO_TARGET))
        intersection, union, _ = overlap(first.mask, second.mask)
        if union:
            overlaps.append(intersection / union)
    return [str(len(same)), f"{100 * np.mean(same):.1f}", f"{100 * np.mean(overlaps):.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of training/dmmi-lite.yaml")
    parser.add_argument("--model", default="dmmi-lite")
    parser.add_argument("--count", type=int, default=300, help="questions of each row, at most")
    arguments = parser.parse_intermixed_args()
    data = read_recipe(RECIPE, arguments.overrides).data
    sentences = [item["sent"] for item in json.loads(arguments.sentences.read_text(encoding="utf-8"))]
    rng = np.random.default_rng(0)
    segmenter = Segmenter.from_pretrained(arguments.model)
    rows = [("wording", "questions", "same status", "IoU")]
    for name, asked in text_pairs(sentences, held_out_scenes(data), rng).items():
        chosen = [asked[i] for i in rng.permutation(len(asked))[: arguments.count]]
        answers = (
            segmenter.batch([read_image(Path(data.images) / image)] * 2, texts) for image, *texts in chosen
        )
        rows.append((name, *compare(answers)))
    print(aligned(rows))


if __name__ == "__main__":
    main()
