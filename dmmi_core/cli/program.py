"""What the command-line programs have in common."""

import argparse
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dmmi_core.errors import DmmiError


def run_program(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Calls the `run` of the subcommand that was chosen.

    Exit status 0; 2 with one line on stderr for bad input; 130 when interrupted.
    """
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format=f"{parser.prog}: %(message)s")
    try:
        arguments.run(arguments)
    except DmmiError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def sigterm_as_exit() -> Iterator[None]:
    """SIGTERM raises SystemExit, status 143: what is half done is undone, and what was started is stopped.

    As with an interrupt, only once the interpreter has its turn. Not for programs that must end at once.
    """
    before = signal.signal(signal.SIGTERM, _exit_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit_once(number: int, _frame) -> None:
    signal.signal(number, signal.SIG_IGN)  # or a second one would cut the unwinding short
    sys.exit(128 + number)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table as text, its cells to the right of their columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
