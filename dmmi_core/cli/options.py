"""Options that several subcommands share."""

import argparse
from typing import Any

from dmmi_core.engines.registry import ENGINES, PRECISIONS


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="dmmi-lite", help="a shipped model's name, or a folder (%(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")


def add_engine(parser: argparse.ArgumentParser, *, default: str = "auto") -> None:
    parser.add_argument(
        "--engine", default=default, metavar="E", help=f"auto, {', '.join(ENGINES)} (%(default)s)"
    )
    parser.add_argument(
        "--precision", default="auto", metavar="P", help=f"auto, {', '.join(PRECISIONS)} (%(default)s)"
    )


def segmenter_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `add_model` and `add_engine`, for `Segmenter.from_pretrained`."""
    return {"engine": arguments.engine, "precision": arguments.precision, "device": arguments.device}
