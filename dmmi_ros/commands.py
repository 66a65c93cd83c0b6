"""The current command, which names what the node looks for in every frame."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from dmmi_core.visible_text import strip_hidden

MAX_REQUESTS = 16
"""Requests that one command may hold; each costs an inference for every frame."""


@dataclass(frozen=True)
class Command:
    """One accepted command; `id` counts from 1. Times are in seconds of the clock of `Commands`."""

    id: int
    requests: tuple[str, ...]
    """At least one, without duplicates."""
    since: float
    """Time at which the command came."""
    awaited_since: float
    """Time since which there has been a command without a break, so that frames are expected."""
    left_out: int = 0
    """Number of requests beyond `MAX_REQUESTS`, which are ignored."""

    @property
    def text(self) -> str:
        """The requests, one a line."""
        return "\n".join(self.requests)


def requests_in(text: str) -> tuple[str, ...]:
    """Return the requests of a command, one a line, without lines that show nothing and duplicates."""
    lines = map(strip_hidden, text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


class Commands:
    """Holds a command until it is replaced, cancelled or expired. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._command: Command | None = None

    def accept(self, text: str, *, timeout: float, age: float = 0.0) -> Command | None:
        """Make `text`, one request a line, the current command and return it; it came `age` seconds ago.

        Text that shows nothing cancels the command; returns None then.
        """
        requests = requests_in(text)
        with self._lock:
            self._expire(timeout)
            self._command = self._make(requests, age) if requests else None
            return self._command

    def current(self, *, timeout: float) -> Command | None:
        """Return the current command, if any; it expires after `timeout` seconds, 0 means never."""
        with self._lock:
            self._expire(timeout)
            return self._command

    def goes_on(self, command: Command, *, timeout: float) -> bool:
        """Return whether `command`, or one that replaced it, holds; False if it was cancelled or expired."""
        current = self.current(timeout=timeout)
        return current is not None and current.awaited_since == command.awaited_since

    def _expire(self, timeout: float) -> None:
        if self._command and timeout and self._clock() - self._command.since > timeout:
            self._command = None

    def _make(self, requests: tuple[str, ...], age: float) -> Command:
        self._count += 1
        now = self._clock()
        return Command(
            self._count,
            requests[:MAX_REQUESTS],
            since=now - age,
            awaited_since=self._command.awaited_since if self._command else now,
            left_out=max(0, len(requests) - MAX_REQUESTS),
        )
