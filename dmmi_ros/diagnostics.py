"""What the node says of its own health on /diagnostics."""

from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.time import Time


@dataclass
class Statistics:
    """Of every frame that came: received = processed + dropped + failed + idle + the one or two under way.

    Counts since the node was configured. Each field has one writer: `received` and `dropped` the executor's
    thread, the others the worker's.
    """

    received: int = 0
    processed: int = 0
    """Answered."""
    dropped: int = 0
    """Not answered, because a newer frame came first."""
    failed: int = 0
    """Not answered, because the image or the inference was at fault."""
    idle: int = 0
    """Not answered, because there was no command."""
    last_error: str = ""
    inference_ms: float = 0.0
    """Of the newest answer: time in the model."""
    result_age_ms: float = 0.0
    """Of the newest answer: from the arrival of its frame to its publication."""


class Diagnostics:
    """Turns `Statistics` into messages; warns where frames failed since the message before."""

    def __init__(self, *, name: str):
        self._name = name
        self._failed_before = 0

    def message(
        self,
        statistics: Statistics,
        *,
        stamp: Time,
        state: str,
        model: str,
        device: str,
        command: str,
    ) -> DiagnosticArray:
        has_failures = statistics.failed not in (0, self._failed_before)
        self._failed_before = statistics.failed
        values = {
            "state": state,
            "model": model,
            "device": device,
            "command": command,
            "frames received": statistics.received,
            "frames processed": statistics.processed,
            "frames dropped": statistics.dropped,
            "frames failed": statistics.failed,
            "frames without a command": statistics.idle,
            "inference ms": f"{statistics.inference_ms:.1f}",
            "result age ms": f"{statistics.result_age_ms:.1f}",
            "last error": statistics.last_error,
        }
        status = DiagnosticStatus(name=self._name, hardware_id=device)
        status.level = DiagnosticStatus.WARN if has_failures else DiagnosticStatus.OK
        status.message = statistics.last_error if has_failures else state
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        message = DiagnosticArray(status=[status])
        message.header.stamp = stamp.to_msg()
        return message
