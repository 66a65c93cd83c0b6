"""The current command: what the node looks for in every frame."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_REQUESTS = 16
"""In one command; each is an inference for every frame."""


@dataclass(frozen=True)
class Command:
    """One accepted command; `id` counts from 1, times are in seconds of the clock."""

    id: int
    requests: tuple[str, ...]
    """At least one, none twice."""
    since: float
    """When it came."""
    awaited_since: float
    """When frames began to be wanted: since then some command held without a break."""
    left_out: int = 0
    """How many requests more the command had than are answered."""

    @property
    def text(self) -> str:
        """One request a line."""
        return "\n".join(self.requests)


def requests_in(text: str) -> tuple[str, ...]:
    """One a line, none empty and none twice."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class Commands:
    """Holds a command until it is replaced, cancelled or too old; then it is gone for good.

    Threads may `accept` and ask for `current` at the same time.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._command: Command | None = None

    def accept(self, text: str, *, timeout: float) -> Command | None:
        """Makes `text`, one request a line, the current command; blank text cancels it and gives None."""
        requests = requests_in(text)
        with self._lock:
            self._forget_if_older(timeout)
            self._command = self._make(requests) if requests else None
            return self._command

    def current(self, *, timeout: float) -> Command | None:
        """The command that holds now, if any; `timeout` is how many seconds one holds, 0 without limit."""
        with self._lock:
            self._forget_if_older(timeout)
            return self._command

    def goes_on(self, command: Command, *, timeout: float) -> bool:
        """Whether `command` holds, or one that took its place; not if it was cancelled or too old between."""
        current = self.current(timeout=timeout)
        return current is not None and current.awaited_since == command.awaited_since

    def _forget_if_older(self, timeout: float) -> None:
        if self._command and timeout and self._clock() - self._command.since > timeout:
            self._command = None

    def _make(self, requests: tuple[str, ...]) -> Command:
        self._count += 1
        now = self._clock()
        return Command(
            self._count,
            requests[:MOST_REQUESTS],
            since=now,
            awaited_since=self._command.awaited_since if self._command else now,
            left_out=max(0, len(requests) - MOST_REQUESTS),
        )
