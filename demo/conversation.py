"""The other process: a camera and somebody who gives commands, in one ROS node."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from dmmi.msg import Segmentation
from dmmi_ros.images import from_array, to_rgb

START_TIMEOUT_S = 180.0
ANSWER_TIMEOUT_S = 30.0


class NoAnswer(RuntimeError):
    """Something that was waited for did not come."""


@dataclass(frozen=True)
class Answer:
    """What came back for one frame; `overlay` is uint8 RGB (H, W, 3)."""

    segmentation: Segmentation
    overlay: np.ndarray
    latency_ms: float


class Conversation(Node):
    """Speaks with the node `dmmi` over DDS, as a robot would; `is_node_alive` tells when to give up."""

    def __init__(self, *, is_node_alive: Callable[[], bool]):
        super().__init__("demo")
        self._is_node_alive = is_node_alive
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)
        # In this order: a node that has heard a command has met the camera before, and a node that is heard
        # on /diagnostics knows who listens to its answers.
        self._camera = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._voice = self.create_publisher(String, "command", 1)
        self._segmentations: dict[int, tuple[Segmentation, float]] = {}
        self._overlays: dict[int, Image] = {}
        self._report: dict[str, str] = {}
        self.create_subscription(Segmentation, "dmmi/segmentation", self._take_segmentation, 10)
        self.create_subscription(Image, "dmmi/overlay", self._take_overlay, 10)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._take_report, 10)

    def wait_until_ready(self) -> str:
        """Waits for a node that is active and that can hear and be heard; gives its device."""
        self._wait(self._has_started, START_TIMEOUT_S, "active node")
        self._wait(
            lambda: (
                self._camera.get_subscription_count()
                and self._voice.get_subscription_count()
                and self.count_publishers("dmmi/segmentation")
                and self.count_publishers("dmmi/overlay")
            ),
            START_TIMEOUT_S,
            "connection with the node",
        )
        return self._report["device"]

    def command(self, text: str) -> None:
        """Gives a command, and waits until the node has taken it."""
        self._voice.publish(String(data=text))
        self._wait(lambda: self._report.get("command") == text, ANSWER_TIMEOUT_S, "word of the command")

    def show(self, image: np.ndarray) -> Answer:
        """Publishes one frame, uint8 RGB (H, W, 3), and waits for its answer; raises `NoAnswer`."""
        stamp = self.get_clock().now()
        message = from_array(image, header=Header(stamp=stamp.to_msg(), frame_id="camera"))
        key, start = stamp.nanoseconds, time.monotonic()
        self._camera.publish(message)
        self._wait(lambda: key in self._segmentations and key in self._overlays, ANSWER_TIMEOUT_S, "answer")
        segmentation, arrival = self._segmentations.pop(key)
        return Answer(segmentation, to_rgb(self._overlays.pop(key)), latency_ms=1e3 * (arrival - start))

    def _has_started(self) -> bool:
        state = self._report.get("state")
        if state == "unconfigured" and self._report["last error"]:
            raise NoAnswer(f"the node {self._report['last error']}")
        return state == "active"

    def _wait(self, condition: Callable[[], object], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if not self._is_node_alive():
                raise NoAnswer("the node has ended")
            if time.monotonic() > deadline:
                raise NoAnswer(f"no {what} within {timeout:.0f} s")
            self._spinner.spin_once(timeout_sec=0.2)

    def _take_segmentation(self, message: Segmentation) -> None:
        self._segmentations[_key(message.header)] = message, time.monotonic()

    def _take_overlay(self, message: Image) -> None:
        self._overlays[_key(message.header)] = message

    def _take_report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith("/dmmi:"):
                self._report = {value.key: value.value for value in status.values}


def _key(header: Header) -> int:
    return header.stamp.sec * 10**9 + header.stamp.nanosec
