"""What the node says of its own health on /diagnostics."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

if TYPE_CHECKING:
    from dmmi_ros.camera import Camera

WARNING_PERIOD_S = 10.0


@dataclass
class Statistics:
    """Of every frame that came: received = processed + dropped + skipped + failed + idle + under way.

    Counts since the node was configured. Each counter has one writer: `received`, `lost` and `dropped` the
    executor's thread, the others the worker's.
    """

    received: int = 0
    lost: int = 0
    """Not received: lost on the way, or overwritten in the subscription's queue."""
    dropped: int = 0
    """Not answered, because a newer frame came first."""
    skipped: int = 0
    """Not answered, because of `max_rate`."""
    processed: int = 0
    """Answered."""
    failed: int = 0
    """Not answered, because the image or the inference was at fault."""
    idle: int = 0
    """Not answered, because there was no command."""
    failed_requests: int = 0
    """Of frames that were answered, requests that were not, because the inference was at fault."""
    without_depth: int = 0
    """Answers without poses, because no depth image or calibration was there for their frame."""
    last_error: str = ""
    inference_ms: float = 0.0
    """Of the newest answer: time in the model, for all frames that were answered together."""
    result_age_ms: float = 0.0
    """Of the newest answer: from the arrival of its frame to its publication."""

    @property
    def under_way(self) -> int:
        """Waiting, or in the model; not one whose answer is out already, and its poses not yet."""
        settled = self.processed + self.dropped + self.skipped + self.failed + self.idle
        return max(0, self.received - settled)

    def values(self) -> dict[str, str]:
        """By their names on /diagnostics."""
        return {
            "frames received": str(self.received),
            "frames lost": str(self.lost),
            "frames processed": str(self.processed),
            "frames dropped": str(self.dropped),
            "frames skipped": str(self.skipped),
            "frames failed": str(self.failed),
            "frames without a command": str(self.idle),
            "frames under way": str(self.under_way),
            "requests failed": str(self.failed_requests),
            "answers without depth": str(self.without_depth),
            "inference ms": f"{self.inference_ms:.1f}",
            "result age ms": f"{self.result_age_ms:.1f}",
            "last error": self.last_error,
        }


class Diagnostics:
    """Publishes a status for each camera.

    ERROR where a transition failed; WARN where somebody's QoS does not fit, no frames of the camera come, or
    some failed or had no depth in the last seconds.
    """

    def __init__(self, node: Node):
        self._node = node
        self._name = f"{node.get_fully_qualified_name()}: segmentation"
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(
        self,
        cameras: "Iterable[Camera]",
        *,
        about_node: dict[str, str],
        failure: str,
        awaited_since: float | None,
        frame_timeout: float,
    ) -> None:
        """`failure` is why the last transition failed, if it did. `awaited_since` is when frames began to be
        awaited, by the monotonic clock; None: they are not.
        """
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        silences = []
        for camera in cameras:
            silence = ""
            if awaited_since is not None:
                silence = camera.silence(since=awaited_since, limit=frame_timeout)
            silences += [silence] if silence else []
            status = self._status(camera, about_node)
            if complaint := about_node["incompatible QoS"] or silence or camera.trouble():
                status.level, status.message = DiagnosticStatus.WARN, complaint
            if failure:
                status.level, status.message = DiagnosticStatus.ERROR, failure
            message.status.append(status)
        if silences:
            self._node.get_logger().warning("; ".join(silences), throttle_duration_sec=WARNING_PERIOD_S)
        self._publisher.publish(message)

    def _status(self, camera: "Camera", about_node: dict[str, str]) -> DiagnosticStatus:
        values = {"camera": camera.name, **about_node, **camera.statistics.values()}
        return DiagnosticStatus(
            name=f"{self._name} {camera.name}".strip(),
            hardware_id=about_node["device"],
            level=DiagnosticStatus.OK,
            message=about_node["state"],
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
