"""What several subcommands have in common."""

import argparse
import importlib.util

from dmmi_core.engines.registry import ENGINES, PRECISIONS
from dmmi_core.errors import InputError

TRAINING_EXTRA = ("accelerate", "torchmetrics", "tqdm")


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


def segmenter_options(arguments: argparse.Namespace) -> dict[str, str]:
    """What `add_model` and `add_engine` read, for `Segmenter.from_pretrained`."""
    return {"engine": arguments.engine, "precision": arguments.precision, "device": arguments.device}


def require_training_extra() -> None:
    """Raises InputError where a package of the extra `train` is missing."""
    missing = [name for name in TRAINING_EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"this needs {' and '.join(missing)}: pip install 'dmmi[train]'")
