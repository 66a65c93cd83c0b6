"""The `dmmi` command."""

import argparse
import logging
import sys
from collections.abc import Sequence

from dmmi_core.commands import build_refzom, calibrate, convert, evaluate, segment, train
from dmmi_core.errors import DmmiError


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0; 2 with one line on stderr for bad input; 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="dmmi: %(message)s")
    logging.getLogger("dmmi_core").setLevel(logging.INFO)
    try:
        arguments.run(arguments)
    except DmmiError as error:
        print(f"dmmi: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmmi", description="Find what a text refers to: zero, one or many objects."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (segment, train, evaluate, calibrate, convert, build_refzom):
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
