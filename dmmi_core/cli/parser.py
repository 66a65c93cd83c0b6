"""The arguments of the `dmmi` command, one subcommand a module."""

import argparse
import logging
from collections.abc import Sequence

from dmmi_core.cli import (
    benchmark,
    build_refzom,
    build_samples,
    calibrate,
    compare,
    convert,
    evaluate,
    export,
    segment,
    train,
    web,
)
from dmmi_core.cli.program import run_program
from dmmi_core.engines.registry import installed_version


def run(argv: Sequence[str] | None) -> int:
    """Parse `argv` and run the subcommand; return the exit status of `run_program`."""
    logging.getLogger("dmmi_core").setLevel(logging.INFO)
    return run_program(build_parser(), argv)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmmi", description="Find what a text refers to: zero, one or many objects."
    )
    parser.add_argument(
        "--version", action="version", version=f"dmmi {installed_version('dmmi') or '(not installed)'}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        segment,
        train,
        evaluate,
        compare,
        calibrate,
        convert,
        export,
        build_refzom,
        build_samples,
        benchmark,
        web,
    ):
        command.add(commands)
    return parser
