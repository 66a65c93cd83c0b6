"""The outcome of each frame and request, offline or live."""

from dataclasses import dataclass

from dmmi_core.result import Result
from dmmi_ros.bags.command_schedule import Request
from dmmi_ros.bags.reader import RecordedFrame


@dataclass(frozen=True)
class Outcome:
    """The outcome of one request for one frame.

    A frame without a command has one outcome, whose `request` is None. `result` is None if the frame was
    dropped or is broken; `problem` then tells what is wrong with a broken frame.
    """

    frame: RecordedFrame
    request: Request | None
    result: Result | None = None
    latency_ms: float | None = None
    """Time from having the message to having the result."""
    problem: str = ""

    @property
    def kind(self) -> str:
        """One of `OUTCOME_KINDS`."""
        if self.result is not None:
            return self.result.status.name.lower()
        return "broken" if self.problem else "dropped"


OUTCOME_KINDS = ("no_target", "one", "many", "dropped", "broken")
