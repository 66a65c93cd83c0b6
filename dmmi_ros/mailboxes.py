"""Where frames wait for their turn: only the newest of each camera."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Unused(Enum):
    """Why a frame is not processed."""

    DROPPED = "a newer one came while the worker was busy"
    SKIPPED = "a newer one came before the camera's rate allowed another"


@dataclass(frozen=True)
class _Waiting:
    frame: Any
    period: float


class Mailboxes:
    """One place for each source; a frame becomes due `period` seconds after the one taken before it.

    All times are seconds of one clock. Not thread-safe.
    """

    def __init__(self):
        self._waiting: dict[Hashable, _Waiting] = {}
        self._taken: dict[Hashable, float] = {}

    def put(self, source: Hashable, frame: Any, *, period: float, now: float) -> Unused | None:
        """Leaves `frame`; what becomes of the one of the same source that it replaces, if any."""
        replaced = self._waiting.get(source)
        unused = replaced and (Unused.SKIPPED if now < self._due(source) else Unused.DROPPED)
        self._waiting[source] = _Waiting(frame, period)
        return unused

    def take(self, *, now: float) -> list[Any]:
        """Takes out all frames that are due."""
        due = [source for source in self._waiting if self._due(source) <= now]
        self._taken.update(dict.fromkeys(due, now))
        return [self._waiting.pop(source).frame for source in due]

    def next_due(self) -> float | None:
        """When the first frame is due, which may be past; None if none waits."""
        return min(map(self._due, self._waiting), default=None)

    def clear(self) -> list[Hashable]:
        """Empties all; the sources whose frames were thrown away."""
        thrown_away = list(self._waiting)
        self._waiting, self._taken = {}, {}
        return thrown_away

    def _due(self, source: Hashable) -> float:
        return self._taken.get(source, float("-inf")) + self._waiting[source].period
