"""The demo's client of the node: a camera and a source of commands."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from dmmi.msg import Segmentation
from dmmi_ros.conversion.images import from_array, to_rgb
from dmmi_ros.testing.node_monitor import NodeMonitor, NodeUnresponsive

START_TIMEOUT_S = 180.0
ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class NodeAnswer:
    """The messages that came back for one frame; `overlay` is uint8 RGB (H, W, 3)."""

    segmentation: Segmentation
    overlay: np.ndarray
    latency_ms: float


class Conversation(NodeMonitor):
    """Talks to the node over DDS, as a robot would. Methods that wait raise `NodeUnresponsive`."""

    def __init__(self, *, is_node_alive: Callable[[], bool]) -> None:
        super().__init__("demo", timeout=ANSWER_TIMEOUT_S, is_node_alive=is_node_alive)
        # In this order, so that a node that hears a command has discovered the camera.
        self._camera = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._commands = self.create_publisher(String, "command", 1)
        self._segmentations: dict[int, tuple[Segmentation, float]] = {}
        self._overlays: dict[int, Image] = {}
        self.create_subscription(Segmentation, "dmmi/segmentation", self._on_segmentation, 10)
        self.create_subscription(Image, "dmmi/overlay", self._on_overlay, 10)
        self.listen_to_reports()

    def wait_until_ready(self) -> str:
        """Wait until the node is active and connected; return its device."""
        self.wait_for(self._has_started, "active node", timeout=START_TIMEOUT_S)
        self.wait_for(
            lambda: (
                self._camera.get_subscription_count()
                and self._commands.get_subscription_count()
                and self.count_publishers("dmmi/segmentation")
                and self.count_publishers("dmmi/overlay")
            ),
            "connection with the node",
            timeout=START_TIMEOUT_S,
        )
        return self.reports[-1]["device"]

    def command(self, text: str) -> None:
        """Publish a command and wait until the node confirms it."""
        self._commands.publish(String(data=text))
        self.wait_for_report(command=text)

    def show(self, image: np.ndarray) -> NodeAnswer:
        """Publish a frame, uint8 RGB (H, W, 3), and wait for its answer."""
        stamp = self.get_clock().now()
        message = from_array(image, header=Header(stamp=stamp.to_msg(), frame_id="camera"))
        key, start = stamp.nanoseconds, time.monotonic()
        self._camera.publish(message)
        self.wait_for(lambda: key in self._segmentations and key in self._overlays, "answer")
        segmentation, arrival = self._segmentations.pop(key)
        return NodeAnswer(segmentation, to_rgb(self._overlays.pop(key)), latency_ms=1e3 * (arrival - start))

    def _has_started(self) -> bool:
        report = self.reports[-1] if self.reports else {"state": ""}
        if report["state"] == "unconfigured" and report["last error"]:
            raise NodeUnresponsive(f"the node {report['last error']}")
        return report["state"] == "active"

    def _on_segmentation(self, message: Segmentation) -> None:
        self._segmentations[_key(message.header)] = message, time.monotonic()

    def _on_overlay(self, message: Image) -> None:
        self._overlays[_key(message.header)] = message


def _key(header: Header) -> int:
    return header.stamp.sec * 10**9 + header.stamp.nanosec
