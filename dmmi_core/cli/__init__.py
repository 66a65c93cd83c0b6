"""The `dmmi` command; `python -m dmmi_core.cli` is the same."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`, or with the arguments of the process, and return the exit status."""
    try:
        from dmmi_core.cli.parser import run  # the subcommands import other modules of this package

        return run(argv)
    except KeyboardInterrupt:  # before the subcommand has begun, or while it ends
        return 130
