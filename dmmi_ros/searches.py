"""Searches: each looks for one request in the frames of a camera until frames in a row agree."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dmmi_ros.segmenting import Outcome

MAX_SEARCHES = 8
"""Searches at once; each costs an inference for every frame."""


@dataclass(frozen=True)
class Seen:
    """The outcome of a search for one frame."""

    header: Any
    """std_msgs/Header of the frame."""
    outcome: Outcome
    agreeing: int
    """Number of frames in a row, up to this one, that have a target."""


class Search:
    """Looks for `request` in the frames of `camera` until `needed` frames in a row have a target.

    The worker's thread calls `on_frame` for each frame, which may do nothing slow. `on_end` is called once,
    with the reason why nothing was found, which is empty if it was found.
    """

    def __init__(
        self,
        request: str,
        *,
        camera: str,
        needed: int,
        on_frame: Callable[[Seen], None],
        on_end: Callable[[str], None],
    ):
        self.request = request
        self.camera = camera
        self.last: Seen | None = None
        self.poses: Any = None
        """geometry_msgs/PoseArray of the last frame's instances, once they were found with depth."""
        self._needed = needed
        self._on_frame = on_frame
        self._on_end = on_end
        self._lock = threading.Lock()
        self._has_ended = False

    def see(self, header: Any, outcome: Outcome) -> bool:
        """Take note of the outcome for the next frame; return whether enough frames agree now."""
        has_target = not isinstance(outcome, Exception) and bool(outcome.instances)
        before = self.last.agreeing if self.last else 0
        self.last = Seen(header, outcome, agreeing=before + 1 if has_target else 0)
        self._on_frame(self.last)
        return self.last.agreeing >= self._needed

    def end(self, reason: str = "") -> None:
        """End the search, for `reason` if nothing was found; any thread may call this, also twice."""
        with self._lock:
            has_ended, self._has_ended = self._has_ended, True
        if not has_ended:
            self._on_end(reason)


class Searches:
    """The searches under way. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._searches: list[Search] = []

    def __len__(self) -> int:
        return len(self._searches)

    def add(self, search: Search) -> None:
        """Begin a search."""
        with self._lock:
            self._searches = [*self._searches, search]

    def remove(self, search: Search) -> None:
        """Forget a search that has ended."""
        with self._lock:
            self._searches = [other for other in self._searches if other is not search]

    def of(self, camera: str) -> tuple[Search, ...]:
        """Return the searches in the frames of `camera`."""
        with self._lock:
            return tuple(search for search in self._searches if search.camera == camera)

    def end_all(self, reason: str) -> None:
        """End all searches for `reason`."""
        with self._lock:
            searches = self._searches
        for search in searches:
            search.end(reason)
