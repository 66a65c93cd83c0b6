"""Frames that were sent to a node, and the results that come back for them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.bags.command_schedule import ScheduledCommand
from dmmi_ros.bags.outcomes import Outcome
from dmmi_ros.bags.reader import RecordedFrame
from dmmi_ros.bags.typestore import nanoseconds
from dmmi_ros.conversion.messages import to_result


@dataclass
class PendingFrame:
    """A frame that was sent with `command` at `sent_at`, in seconds of the monotonic clock."""

    frame: RecordedFrame
    command: ScheduledCommand
    sent_at: float = field(default_factory=time.monotonic)
    results: dict[str, tuple[Result, float]] = field(default_factory=dict)
    """The result and the latency in milliseconds, by the text of the request."""

    @property
    def is_answered(self) -> bool:
        """Whether every request has a result."""
        return len(self.results) == len(self.command.requests)

    def expects(self, text: str) -> bool:
        """Return whether a request with this text has no result yet."""
        return text not in self.results and any(request.text == text for request in self.command.requests)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcome of each request; those without a result are dropped or broken."""
        problem = "" if self.is_answered else _problem(self.frame)
        for request in self.command.requests:
            if request.text in self.results:
                yield Outcome(self.frame, request, *self.results[request.text])
            else:
                yield Outcome(self.frame, request, problem=problem)


class PendingFrames:
    """The pending frames by the stamp, in nanoseconds, with which each was sent."""

    def __init__(self) -> None:
        self._pending: dict[int, PendingFrame] = {}

    def add(self, stamp: int, frame: RecordedFrame, command: ScheduledCommand) -> None:
        """Add a frame that is sent now; stamps must grow."""
        self._pending[stamp] = PendingFrame(frame, command)

    def on_segmentation(self, message: Any) -> None:
        """Assign a dmmi/Segmentation to its frame and request; ignore it if there are none."""
        now = time.monotonic()
        pending = self._pending.get(nanoseconds(message.header.stamp))
        if pending and pending.expects(message.command):
            pending.results[message.command] = to_result(message), 1e3 * (now - pending.sent_at)

    def settled(self) -> Iterator[Outcome]:
        """Remove the frames that are answered, or never will be, and yield their outcomes.

        The node works in the order of frames, so a frame before one with a result gets none any more.
        """
        newest = max((stamp for stamp, pending in self._pending.items() if pending.results), default=0)
        settled = [stamp for stamp, pending in self._pending.items() if stamp < newest or pending.is_answered]
        for stamp in settled:
            yield from self._pending.pop(stamp).outcomes()

    def rest(self) -> Iterator[Outcome]:
        """Yield the outcomes of the frames that are left at the end."""
        for pending in self._pending.values():
            yield from pending.outcomes()


def _problem(frame: RecordedFrame) -> str:
    """Return what is wrong with the frame; empty if nothing is."""
    try:
        frame.image()
    except InputError as error:
        return str(error)
    return ""
