"""Break scores down by category, by the share of the image that targets fill, and by their number.

    python benchmarks/breakdown.py SAMPLES.jsonl --images DIR [--model M] [--engine E] [--precision P]

The table has, for each part of the samples, their number, mIoU, Prec@0.5 and instance F1 in percent, at the
images' own size; Acc and T-acc of all samples follow. `validation_lists.py` writes the fixed samples files.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from dmmi_core import Segmenter
from dmmi_core.cli.program import aligned
from dmmi_core.data.lexicon.names import PERSONS, plural
from dmmi_core.data.samples import read_samples
from dmmi_core.evaluation.evaluate import Prediction, evaluate
from dmmi_core.evaluation.instance_metrics import InstanceDetection
from dmmi_core.evaluation.metrics import ReferringSegmentation

WORDS = {form for word in (*PERSONS, "human", "pedestrian") for form in (word, plural(word))}
PERSON = re.compile(rf"\b({'|'.join(sorted(WORDS))})\b")
SHARES = (0.01, 0.05, 0.2, 1.0)
"""Upper ends of the shares of the image that targets fill."""


def parts_of(prediction: Prediction) -> Iterator[str]:
    """The rows that a prediction counts in."""
    sample, share = prediction.example.sample, prediction.target.mean()
    yield ROWS[0]
    yield "persons" if PERSON.search(sample.text) else "other things"
    yield "one target" if sample.kind == "one" else "several targets"
    yield _up_to(next(end for end in SHARES if share <= end))


def _up_to(share: float) -> str:
    return f"up to {100 * share:.0f} % of the image"


ROWS = ("all", "persons", "other things", "one target", "several targets", *map(_up_to, SHARES))


class Breakdown:
    def __init__(self):
        self._masks: dict[str, ReferringSegmentation] = {}
        self._instances: dict[str, InstanceDetection] = {}
        self._counts: dict[str, int] = {}

    def add(self, prediction: Prediction) -> None:
        sample = prediction.example.sample
        if sample.kind == "zero":
            return
        for part in parts_of(prediction):
            self._counts[part] = self._counts.get(part, 0) + 1
            self._masks.setdefault(part, ReferringSegmentation()).update(
                prediction.predicted, prediction.target, sample.kind
            )
            self._instances.setdefault(part, InstanceDetection()).update(
                prediction.instances, sample.objects(), sample.kind
            )

    def rows(self) -> Iterator[tuple[str, ...]]:
        yield ("", "samples", "mIoU", "Prec@0.5", "instance F1")
        for part in sorted(self._counts, key=ROWS.index):
            scores = self._masks[part].compute() | self._instances[part].compute()
            values = (scores["mIoU"], scores["Prec@0.5"], scores["instance_F1"])
            yield (part, str(self._counts[part]), *(f"{value:.1f}" for value in values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path, metavar="SAMPLES.jsonl")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", default="dmmi-lite")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--grouping", help="another way to part instances than the model's own")
    arguments = parser.parse_args()
    segmenter = Segmenter.from_pretrained(
        arguments.model,
        engine=arguments.engine,
        precision=arguments.precision,
        grouping=arguments.grouping,
    )
    breakdown = Breakdown()
    scores = evaluate(
        segmenter,
        read_samples(arguments.samples),
        arguments.images,
        on_prediction=breakdown.add,
        batch_size=1,
    )
    print(aligned(list(breakdown.rows())))
    names = ("oIoU", "mIoU", "Acc", "T-acc", "instance_F1")
    print(", ".join(f"{name} {scores[name]:.1f}" for name in names if scores[name] is not None))


if __name__ == "__main__":
    main()
