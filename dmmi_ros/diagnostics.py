"""The node's reports on /diagnostics."""

from collections.abc import Iterable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from dmmi_ros.camera import Camera

WARNING_PERIOD_S = 10.0


class Diagnostics:
    """Publishes one status for each camera.

    The level is ERROR after a failed transition, and WARN while there is a QoS mismatch, while no frames
    come, or shortly after an error; otherwise it is OK.
    """

    def __init__(self, node: Node):
        self._node = node
        self._name = f"{node.get_fully_qualified_name()}: segmentation"
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(
        self,
        cameras: Iterable[Camera],
        *,
        about_node: dict[str, str],
        failure: str,
        awaited_since: float | None,
        frame_timeout: float,
    ) -> None:
        """Publish the state of the node and of `cameras`.

        `failure` tells why the last transition failed; it is empty if it did not. `awaited_since` is the
        monotonic time since which frames are expected, or None if they are not. `frame_timeout` is in
        seconds.
        """
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        stale = []
        for camera in cameras:
            staleness = ""
            if awaited_since is not None:
                staleness = camera.staleness(since=awaited_since, limit=frame_timeout)
            stale += [staleness] if staleness else []
            status = self._status(camera, about_node)
            if warning := about_node["incompatible QoS"] or staleness or camera.recent_error():
                status.level, status.message = DiagnosticStatus.WARN, warning
            if failure:
                status.level, status.message = DiagnosticStatus.ERROR, failure
            message.status.append(status)
        if stale:
            self._node.get_logger().warning("; ".join(stale), throttle_duration_sec=WARNING_PERIOD_S)
        self._publisher.publish(message)

    def _status(self, camera: Camera, about_node: dict[str, str]) -> DiagnosticStatus:
        values = {"camera": camera.name, **about_node, **camera.statistics.values()}
        return DiagnosticStatus(
            name=f"{self._name} {camera.name}".strip(),
            hardware_id=about_node["device"],
            level=DiagnosticStatus.OK,
            message=about_node["state"],
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
