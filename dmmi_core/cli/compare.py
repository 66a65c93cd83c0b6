"""`dmmi compare`: the answers of several models to the same samples, side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dmmi_core.cli.options import add_engine, segmenter_options
from dmmi_core.errors import InputError
from dmmi_core.extras import require

if TYPE_CHECKING:
    from dmmi_core.data.samples import Sample
    from dmmi_core.evaluation.evaluate import Prediction

SPREAD = 8
"""Samples that are shown unless some are picked."""


def add(commands) -> None:
    parser = commands.add_parser(
        "compare",
        help="show the answers of several models side by side",
        description="Write comparison.html and comparison.png: for each sample the image, the ground truth "
        "and the mask of each model.",
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a shipped model's name, or a folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
    add_engine(parser)
    parser.add_argument("--samples", type=Path, required=True, metavar="FILE.jsonl", help="a samples file")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of its images")
    parser.add_argument(
        "--pick",
        nargs="+",
        type=int,
        metavar="N",
        help=f"lines of the samples file, from 1 ({SPREAD} lines spread over the file)",
    )
    parser.add_argument(
        "--output", type=Path, default=".", metavar="DIR", help="folder of the two files (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("torch", "torchmetrics")
    from dmmi_core.data.samples import read_samples
    from dmmi_core.evaluation.comparison import write_comparison

    samples = _picked(read_samples(arguments.samples), arguments.pick)
    answers = {name: _predictions(name, samples, arguments) for name in dict.fromkeys(arguments.models)}
    for path in write_comparison(arguments.output, answers):
        print(path)


def _picked(samples: "Sequence[Sample]", lines: Sequence[int] | None) -> "list[Sample]":
    """Return the samples of `lines`, or some from everywhere. Raises InputError if there is no such line."""
    if not samples:
        raise InputError("the samples file is empty")
    if lines is None:
        count = min(SPREAD, len(samples))
        lines = [1 + number * len(samples) // count for number in range(count)]
    for line in lines:
        if not 1 <= line <= len(samples):
            raise InputError(f"--pick {line}: the samples file has the lines 1 to {len(samples)}")
    return [samples[line - 1] for line in lines]


def _predictions(name: str, samples: "Sequence[Sample]", arguments: argparse.Namespace) -> "list[Prediction]":
    """Return a model's predictions; only one model at a time is in memory."""
    from dmmi_core.evaluation.evaluate import evaluate
    from dmmi_core.segmenter import Segmenter

    segmenter = Segmenter.from_pretrained(name, **segmenter_options(arguments))
    found: list[Prediction] = []
    evaluate(segmenter, samples, arguments.images, on_prediction=found.append)
    return found
