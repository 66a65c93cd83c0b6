"""Exit statuses, signals and tables of the command-line programs."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dmmi_core.errors import DmmiError, one_line
from dmmi_core.extras import missing
from dmmi_core.files import full_disk


def run_program(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Call the `run` of the subcommand and return the exit status.

    It is 0; 2 with one line on stderr for bad input, a missing package and an error of the system, such as a
    full disk; 130 if interrupted.
    """
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format=f"{parser.prog}: %(message)s")
    try:
        arguments.run(arguments)
    except DmmiError as error:
        return _refused(parser, str(error))
    except BrokenPipeError:  # whoever reads the output has read enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _refused(parser, _described(error))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package.startswith("dmmi"):
            raise
        return _refused(parser, f"this {missing(package) or one_line(error)}")
    except KeyboardInterrupt:
        return 130
    return 0


def _refused(parser: argparse.ArgumentParser, message: str) -> int:
    print(f"{parser.prog}: {message}", file=sys.stderr)
    return 2


def _described(error: OSError) -> str:
    """Return an error of the system in one line: the file if it is known, and what is wrong."""
    said = error.strerror or one_line(error)
    if full_disk(error):
        said += "; make room, and start again"
    return f"{error.filename}: {said}" if error.filename else said


@contextmanager
def sigterm_as_exit() -> Iterator[None]:
    """Raise SystemExit with status 143 at SIGTERM, so that `finally` blocks undo and stop what was begun.

    Like an interrupt, it waits for the interpreter, so this is not for programs that must end at once.
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
    """Return a table as text with right-aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
