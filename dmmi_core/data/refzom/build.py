"""Puts the pairs of a dataset together, each split by itself.

What is drawn for an image depends on the seed and on the image alone; one-to-zero texts, which come from
other images, on the images of the same split too.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

from dmmi_core.data.refzom.candidates import candidate_pairs
from dmmi_core.data.refzom.combine import combined_pairs
from dmmi_core.data.refzom.conflicts import ConflictChecker
from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.refzom.pairs import WAYS, Pair
from dmmi_core.data.refzom.templates import template_pairs
from dmmi_core.data.refzom.vocabulary import Vocabulary

SPLITS = ("train", "test")
ZERO_SHARE = 0.2
"""Of the images without expressions that are known to lack something: those kept for one-to-zero pairs."""
PER_WAY = 2
"""Pairs of an image in each way, at most."""
TRIES = 200
"""Texts that are tried on an image until one of them refers to nothing in it."""


@dataclass
class Built:
    """Pairs by split, proposals for way (1), and how many one-to-zero texts were rejected and why."""

    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    candidates: list[Pair] = field(default_factory=list)
    rejected: Counter = field(default_factory=Counter)


def build(images: list[SourceImage], vocabulary: Vocabulary, *, seed: int, test_share: int) -> Built:
    """One image in `test_share` is in the test split, fixed by its file name."""
    built, checker = Built(), ConflictChecker(vocabulary)
    for split in SPLITS:
        of_split = [p for p in images if is_test(p.scene.image, test_share) == (split == "test")]
        kept = [p for p in of_split if _is_kept_for_zero(p, seed)]
        kept_ids = {p.id for p in kept}
        described = [p for p in of_split if p.id not in kept_ids]
        pairs = [pair for p in described for pair in _described(p, seed)]
        pairs += _zeros(kept, _text_pools(of_split, pairs), checker, seed, built.rejected)
        built.pairs[split] = sorted(pairs, key=lambda pair: pair.image_id)
        built.candidates += [pair for p in described for pair in candidate_pairs(p, vocabulary)]
    return built


def _rng(seed: int, step: str, image: SourceImage) -> np.random.Generator:
    return np.random.default_rng([seed, *step.encode(), 0, *image.scene.image.encode()])


def is_test(image: str, share: int) -> bool:
    """Goes by another hash than `is_validation`, so that of the training split a share can be held out."""
    return crc32(f"test {Path(image).name}".encode()) % share == 0


def _is_kept_for_zero(image: SourceImage, seed: int) -> bool:
    unused = not image.expressions and not image.checked
    absent = image.scene.complete - image.present
    return unused and bool(absent) and _rng(seed, "keep", image).random() < ZERO_SHARE


def _described(image: SourceImage, seed: int) -> list[Pair]:
    """The one-to-one and one-to-many pairs of an image: some of each way, and all that a person checked."""
    rng = _rng(seed, "describe", image)
    told = _unambiguous([*image.checked, *image.expressions, *template_pairs(image, rng)])
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in _unambiguous([*told, *_combined(told, rng)]):
        groups.setdefault((pair.kind, pair.way), []).append(pair)
    return [
        pair
        for (_, way), group in groups.items()
        for pair in (group if way == "captions" else _some(group, rng))
    ]


def _combined(told: list[Pair], rng: np.random.Generator) -> list[Pair]:
    """Of expressions that people wrote where there are enough of them, else of templates too."""
    single = [pair for pair in told if pair.kind == "one"]
    written = [pair for pair in single if pair.way == "expressions"]
    enough = len({pair.targets for pair in written}) > 1
    return combined_pairs(written if enough else single, PER_WAY, rng)


def _unambiguous(pairs: list[Pair]) -> list[Pair]:
    """Each text once; none that means two things."""
    meanings: dict[str, set] = {}
    for pair in pairs:
        meanings.setdefault(pair.text.lower(), set()).add(pair.targets)
    first = {pair.text.lower(): pair for pair in reversed(pairs)}
    return [p for p in pairs if len(meanings[p.text.lower()]) == 1 and first[p.text.lower()] is p]


def _some(pairs: list[Pair], rng: np.random.Generator) -> list[Pair]:
    return [pairs[i] for i in sorted(rng.permutation(len(pairs))[:PER_WAY])]


def _text_pools(images: list[SourceImage], pairs: list[Pair]) -> list[list[Pair]]:
    """Texts for one-to-zero pairs, with the image that each was written for."""
    captions = [Pair(p.id, caption, (), "captions") for p in images for caption in p.captions]
    others = [Pair(p.image_id, p.text, (), p.way) for p in pairs if p.way in ("expressions", "templates")]
    pools = [[text for text in (*captions, *others) if text.way == way] for way in WAYS["zero"]]
    return [pool for pool in pools if pool]


def _zeros(
    kept: list[SourceImage], pools: list[list[Pair]], checker: ConflictChecker, seed: int, rejected: Counter
) -> Iterator[Pair]:
    """One pair for each image, where a text is found for it."""
    for image in kept if pools else ():
        for text in _drawn(pools, _rng(seed, "zero", image)):
            reason = checker.conflict(text.text, image)
            if reason is None:
                yield Pair(image.id, text.text, (), text.way)
                break
            rejected[reason] += 1


def _drawn(pools: list[list[Pair]], rng: np.random.Generator) -> Iterator[Pair]:
    for _ in range(TRIES):
        pool = pools[rng.integers(len(pools))]
        yield pool[rng.integers(len(pool))]
