"""The `dmmi-bag` command: evaluates a model on recorded bags and makes bags from images. Needs no ROS."""

import argparse
from collections.abc import Sequence

from dmmi_core.cli.program import run_program, sigterm_as_exit
from dmmi_ros.bags.cli import evaluate, make


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; return the exit status of `run_program`, or 143 after SIGTERM."""
    with sigterm_as_exit():  # or --live would leave its node running, and half a bag
        return run_program(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmmi-bag", description="Evaluate a model on rosbags, and make rosbags from images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    evaluate.add(commands)
    make.add(commands)
    return parser
