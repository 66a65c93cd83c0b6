"""The current command: what the node looks for in every frame."""

import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_REQUESTS = 16
"""In one command; each is an inference for every frame."""


@dataclass(frozen=True)
class Command:
    """One accepted command; `id` counts from 1, `since` is when it came, in seconds of the clock."""

    id: int
    requests: tuple[str, ...]
    """At least one, none twice."""
    since: float
    left_out: int = 0
    """How many requests more the command had than are answered."""

    @property
    def text(self) -> str:
        """One request a line."""
        return "\n".join(self.requests)


class Commands:
    """Holds a command until it is replaced, cancelled or too old.

    One thread may `accept` while others ask for `current`: a command never changes, it is only exchanged.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._count = 0
        self._command: Command | None = None

    def accept(self, text: str) -> Command | None:
        """Makes `text`, one request a line, the current command; blank text cancels it and gives None."""
        requests = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        self._command = self._make(requests) if requests else None
        return self._command

    def _make(self, requests: tuple[str, ...]) -> Command:
        self._count += 1
        left_out = max(0, len(requests) - MOST_REQUESTS)
        return Command(self._count, requests[:MOST_REQUESTS], since=self._clock(), left_out=left_out)

    def current(self, *, timeout: float) -> Command | None:
        """The command that holds now, if any; `timeout` is how many seconds one holds, 0 without limit."""
        command = self._command
        if command and timeout and self._clock() - command.since > timeout:
            return None
        return command
