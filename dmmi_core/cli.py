"""The `dmmi` command."""

import argparse
import logging
import sys
from collections.abc import Sequence

from dmmi_core.commands import benchmark, build_refzom, calibrate, convert, evaluate, export, segment, train
from dmmi_core.program import run_program


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status, as of `run_program`."""
    logging.getLogger("dmmi_core").setLevel(logging.INFO)
    return run_program(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmmi", description="Find what a text refers to: zero, one or many objects."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (segment, train, evaluate, calibrate, convert, export, build_refzom, benchmark):
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
