"""`dmmi evaluate`: scores a model on samples, in one process or several."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dmmi_core.cli.options import (
    add_engine,
    add_model,
    segmenter_options,
)
from dmmi_core.cli.program import aligned
from dmmi_core.errors import InputError
from dmmi_core.extras import require

if TYPE_CHECKING:
    from accelerate import PartialState

    from dmmi_core.data.samples import Sample
    from dmmi_core.evaluation.evaluate import Prediction

logger = logging.getLogger(__name__)


def add(commands) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="score a model",
        description="Score a model. torchrun and accelerate launch share the work among processes.",
    )
    add_model(parser)
    add_engine(parser, default="torch")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--recipe", nargs="+", metavar="RECIPE", help="a recipe's validation split [KEY=VALUE ...]"
    )
    source.add_argument("--samples", type=Path, metavar="FILE.jsonl", help="a samples file; needs --images")
    parser.add_argument("--split", metavar="NAME", help="another split of the recipe's data")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the samples' images")
    parser.add_argument(
        "--protocol",
        default="native",
        help="native: the foreground before it is grouped into instances, and the instances, at the "
        "photographs' size; released: the foreground without presence, at the network's size, as the "
        "authors' code scores it (%(default)s)",
    )
    parser.add_argument("--presence-threshold", type=float, metavar="P", help="least presence of a target")
    parser.add_argument(
        "--batch-size",
        type=_positive,
        default=8,
        metavar="N",
        help="pairs of image and text at a time (%(default)s)",
    )
    parser.add_argument(
        "--workers", type=_positive, default=2, metavar="N", help="threads that load images (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--visualize", type=_positive, metavar="N", help="write a web page with the N worst answers"
    )
    parser.add_argument(
        "--report",
        type=Path,
        default="evaluation.html",
        metavar="OUT.html",
        help="name of the page (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("torch", "torchmetrics", "tqdm")
    from accelerate import PartialState

    from dmmi_core.evaluation.evaluate import evaluate, local_range
    from dmmi_core.evaluation.failure_cases import FailureCases
    from dmmi_core.evaluation.metrics import table
    from dmmi_core.segmenter import Segmenter

    if arguments.visualize and not arguments.report.parent.is_dir():
        raise InputError(f"cannot write {arguments.report}: does its folder exist?")
    samples, images = _samples(arguments)
    state = PartialState(cpu=arguments.device == "cpu")
    arguments.device = _device(arguments.device, state)
    segmenter = Segmenter.from_pretrained(arguments.model, **segmenter_options(arguments))
    if arguments.presence_threshold is not None:
        segmenter.options = replace(segmenter.options, presence_threshold=arguments.presence_threshold)
    failures = FailureCases(arguments.visualize) if arguments.visualize else None
    progress = _Progress(len(local_range(len(samples), arguments.batch_size)), shown=state.is_main_process)

    def on_prediction(prediction: "Prediction") -> None:
        progress.step()
        if failures:
            failures.add(prediction)

    scores = evaluate(
        segmenter,
        samples,
        images,
        protocol=arguments.protocol,
        batch_size=arguments.batch_size,
        workers=arguments.workers,
        on_prediction=on_prediction,
    )
    if state.is_main_process:
        print(json.dumps(scores) if arguments.json else aligned(table(scores)))
    if failures:
        failures.gather()
        if state.is_main_process:
            failures.write(arguments.report, f"{arguments.model}, protocol {arguments.protocol}", scores)
            logger.info("the worst answers are in %s", arguments.report)
    state.destroy_process_group()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _samples(arguments: argparse.Namespace) -> "tuple[Sequence[Sample], Path]":
    if arguments.samples:
        from dmmi_core.data.left_out import LeftOut
        from dmmi_core.data.samples import iterate_samples

        if arguments.split:
            raise InputError("--split goes with --recipe: a samples file has no splits")
        if arguments.images is None:
            raise InputError("--samples needs --images, the folder that their photographs are in")
        return list(iterate_samples(arguments.samples, LeftOut("line"))), arguments.images
    from dmmi_core.data.sources import held_out_samples
    from dmmi_core.training.recipe import read_recipe

    data = read_recipe(arguments.recipe[0], arguments.recipe[1:]).data
    return held_out_samples(data, arguments.split), Path(data.images)


def _device(name: str, state: "PartialState") -> str:
    """Return the device; "auto" with several processes is this process's own GPU, if there are any."""
    return str(state.device) if name == "auto" and state.num_processes > 1 else name


class _Progress:
    """Counts the answers on the terminal."""

    def __init__(self, total: int, *, shown: bool):
        self.done, self.total, self.shown = 0, total, shown and sys.stderr.isatty()

    def step(self) -> None:
        self.done += 1
        if self.shown:
            end = "" if self.done < self.total else "\n"
            print(f"\r{self.done}/{self.total}", end=end, file=sys.stderr)
