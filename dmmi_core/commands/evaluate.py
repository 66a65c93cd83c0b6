"""`dmmi evaluate`: scores a model on samples."""

import argparse
import json
import sys
from pathlib import Path

from dmmi_core.commands.options import add_model
from dmmi_core.errors import InputError


def add(commands) -> None:
    parser = commands.add_parser("evaluate", help="score a model")
    add_model(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--recipe", nargs="+", metavar="RECIPE", help="a recipe's validation split [KEY=VALUE ...]"
    )
    source.add_argument("--samples", type=Path, metavar="FILE.jsonl", help="a samples file; needs --images")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the samples' images")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from dmmi_core.evaluation import evaluate
    from dmmi_core.segmenter import Segmenter

    samples, images = _samples(arguments)
    segmenter = Segmenter.from_pretrained(arguments.model, device=arguments.device)

    def progress(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{len(samples)}", end="" if done < len(samples) else "\n", file=sys.stderr)

    scores = evaluate(segmenter, samples, images, on_progress=progress)
    if arguments.json:
        print(json.dumps(scores))
        return
    for name, value in scores.items():
        print(f"{name:9}", "-" if value is None else value if isinstance(value, int) else f"{value:.2f}")


def _samples(arguments: argparse.Namespace) -> tuple[list, Path]:
    if arguments.samples:
        from dmmi_core.data.samples import read_samples

        if arguments.images is None:
            raise InputError("--samples needs --images, the folder that their photographs are in")
        return read_samples(arguments.samples), arguments.images
    from dmmi_core.data.sources import held_out_samples
    from dmmi_core.recipe import read_recipe

    data = read_recipe(arguments.recipe[0], arguments.recipe[1:]).data
    return held_out_samples(data), Path(data.images)
