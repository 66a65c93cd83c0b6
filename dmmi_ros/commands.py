"""The current command: what the node looks for in every frame."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One accepted command; `id` counts from 1, `since` is when it came, in seconds of the clock."""

    id: int
    text: str
    since: float


class Commands:
    """Holds a command until it is replaced, cancelled or too old.

    One thread may `accept` while others ask for `current`: a command never changes, it is only exchanged.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._count = 0
        self._command: Command | None = None

    def accept(self, text: str) -> Command | None:
        """Makes `text` the current command; blank text cancels it and gives None."""
        text = text.strip()
        if text:
            self._count += 1
        self._command = Command(id=self._count, text=text, since=self._clock()) if text else None
        return self._command

    def current(self, *, timeout: float) -> Command | None:
        """The command that holds now, if any; `timeout` is how many seconds one holds, 0 without limit."""
        command = self._command
        if command and timeout and self._clock() - command.since > timeout:
            return None
        return command
