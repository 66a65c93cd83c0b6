"""The node's reports on /diagnostics."""

from collections.abc import Iterable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from dmmi_ros.camera import Camera
from dmmi_ros.parameters import Parameters
from dmmi_ros.statistics import Statistics

WARNING_PERIOD_S = 10.0


class Diagnostics:
    """Publishes one status for each camera.

    The level is ERROR after a failed transition, and WARN while there is a QoS mismatch, while no frames
    come, shortly after an error, or after a period in which too many frames were lost or dropped; otherwise
    it is OK.
    """

    def __init__(self, node: Node):
        self._node = node
        self._name = f"{node.get_fully_qualified_name()}: segmentation"
        self._logged = ""
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(
        self,
        cameras: Iterable[Camera],
        *,
        about_node: dict[str, str],
        failure: str,
        awaited_since: float | None,
        settings: Parameters,
    ) -> None:
        """Publish the state of the node and of `cameras`.

        `failure` tells why the last transition failed; it is empty if it did not. `awaited_since` is the
        monotonic time since which frames are expected, or None if they are not.
        """
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        stale = []
        for camera in cameras:
            staleness = ""
            if awaited_since is not None:
                staleness = camera.staleness(since=awaited_since, limit=settings.frame_timeout)
            stale += [staleness] if staleness else []
            status = self._status(camera, about_node)
            warning = about_node["incompatible QoS"] or staleness or camera.recent_error()
            if warning := warning or losses(camera.statistics, settings, advice=camera.loss_advice()):
                status.level, status.message = DiagnosticStatus.WARN, warning
            if failure:
                status.level, status.message = DiagnosticStatus.ERROR, failure
            message.status.append(status)
        self.log_staleness("; ".join(stale))
        self._publisher.publish(message)

    def log_staleness(self, staleness: str) -> None:
        """Log a warning, which may be empty, unless it is the same as before."""
        if staleness and staleness != self._logged:
            self._node.get_logger().warning(staleness, throttle_duration_sec=WARNING_PERIOD_S)
        self._logged = staleness

    def _status(self, camera: Camera, about_node: dict[str, str]) -> DiagnosticStatus:
        values = {"camera": camera.name, **about_node, **camera.statistics.values()}
        return DiagnosticStatus(
            name=f"{self._name} {camera.name}".strip(),
            hardware_id=about_node["device"],
            level=DiagnosticStatus.OK,
            message=_summary(about_node),
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )


def _summary(about_node: dict[str, str]) -> str:
    """Return the state of the node; an active one that has nothing to look for has no command."""
    is_idle = about_node["state"] == "active" and not about_node["command"] and about_node["goals"] == "0"
    return "no command" if is_idle else about_node["state"]


def losses(statistics: Statistics, settings: Parameters, *, advice: str) -> str:
    """Return a warning if too many frames of the last period were lost or dropped, else an empty string.

    `advice` says what to do about lost frames.
    """
    if statistics.lost_share > settings.max_lost_share:
        share = f"{statistics.lost_share:.0%} of the frames of the last period"
        return f"{share} were lost in transport: {advice}"
    if statistics.dropped_share > settings.max_dropped_share:
        return (
            f"{statistics.dropped_share:.0%} of the frames of the last period were dropped, as the model is "
            "slower than the camera: lower the rate of the camera or use a faster engine"
        )
    return ""
