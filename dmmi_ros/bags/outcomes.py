"""What comes of each frame and request, offline or live."""

from dataclasses import dataclass

from dmmi_core.result import Result
from dmmi_ros.bags.command_schedule import Request
from dmmi_ros.bags.reader import Frame


@dataclass(frozen=True)
class Answer:
    """One for each frame and request; a frame without a command has one without a request.

    `result` is None where the frame was dropped or is broken; `problem` then says what is wrong with it.
    """

    frame: Frame
    request: Request | None
    result: Result | None = None
    latency_ms: float | None = None
    """From having the message to having the result."""
    problem: str = ""

    @property
    def outcome(self) -> str:
        """no_target, one, many, dropped or broken."""
        if self.result is not None:
            return self.result.status.name.lower()
        return "broken" if self.problem else "dropped"


OUTCOMES = ("no_target", "one", "many", "dropped", "broken")
