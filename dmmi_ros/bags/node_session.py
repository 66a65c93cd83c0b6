"""A node in its own process that `dmmi-bag` sends frames and commands; the part that needs ROS."""

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import rclpy
from rclpy.context import Context
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dmmi.msg import Segmentation
from dmmi_core.errors import ModelError
from dmmi_ros.bags.reader import IMAGE
from dmmi_ros.bags.typestore import nanoseconds
from dmmi_ros.testing.node_monitor import NodeMonitor, NodeUnresponsive
from dmmi_ros.testing.node_process import Domain, NodeProcess

START_TIMEOUT_S = 300.0
"""Time in which a node loads its model even on a busy machine."""
RESULT_TIMEOUT_S = 15.0
"""Time without a result after which the frames without one count as dropped, whatever the node reports."""
DIAGNOSTICS_PERIOD_S = 0.1
"""Period of the node's reports; short, as frames wait while a command is confirmed."""
QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
PROGRAM = "import sys; from dmmi_ros.node import main; sys.exit(main())"


@contextmanager
def open_session(
    type_: str, *, parameters: dict[str, str], on_segmentation: Callable[[Segmentation], None]
) -> Iterator["NodeSession"]:
    """Start a node in a ROS domain that nobody else uses; yield a session once it is active."""
    domain = Domain()
    environment = domain.environment()
    os.environ.update(environment)
    parameters = {
        "autostart": "true",
        "image_reliability": "reliable",
        "diagnostics_period": str(DIAGNOSTICS_PERIOD_S),
        "image_transport": "raw" if type_ == IMAGE else "compressed",
        **parameters,
    }
    overrides = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    command = [sys.executable, "-c", PROGRAM, "--ros-args", *overrides]
    context = Context()
    rclpy.init(context=context)
    try:
        with (
            tempfile.TemporaryFile("w+") as log,
            NodeProcess(command, environment=environment, output=log) as process,
        ):
            try:
                session = NodeSession(
                    type_, context=context, process=process, on_segmentation=on_segmentation
                )
                session.wait_until_active()
                yield session
            except NodeUnresponsive as error:
                raise ModelError(f"{error}; {_last_line(log)}") from error
    finally:
        rclpy.shutdown(context=context)


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    return (log.read().strip().splitlines() or ["it said nothing"])[-1]


class NodeSession(NodeMonitor):
    """Sends frames and commands, and calls `on_segmentation` with every result while it listens.

    Methods that wait raise `NodeUnresponsive`.
    """

    def __init__(
        self,
        type_: str,
        *,
        context: Context,
        process: NodeProcess,
        on_segmentation: Callable[[Segmentation], None],
    ):
        super().__init__(
            "dmmi_bag", context=context, timeout=START_TIMEOUT_S, is_node_alive=lambda: process.is_alive
        )
        self._on_segmentation = on_segmentation
        self._received_at = time.monotonic()
        self.sent = 0
        """Number of images sent."""
        self._answered: set[int] = set()
        """Stamps of the frames that have results, in nanoseconds."""
        message, topic = (Image, "image") if type_ == IMAGE else (CompressedImage, "image/compressed")
        self._images = self.create_publisher(message, topic, QOS)
        self._commands = self.create_publisher(String, "command", QOS)
        self.create_subscription(Segmentation, "dmmi/segmentation", self._on_result, QOS)
        self.listen_to_reports()

    def wait_until_active(self) -> None:
        """Wait until the node is active and connected. Raises `ModelError` if it cannot be configured."""
        self.wait_for(self._has_started, "active node")
        for publisher in (self._images, self._commands):
            self.wait_for(publisher.get_subscription_count, "subscription")
        self.wait_for(lambda: self.count_publishers("dmmi/segmentation"), "publisher of results")

    def give_command(self, text: str) -> None:
        """Publish a command and wait until the node confirms it."""
        self.reports.clear()
        self._commands.publish(String(data=text))
        self.wait_for_report(command=text)

    def send(self, raw: bytes) -> None:
        """Publish a serialised image; each must have a different stamp."""
        self.sent += 1
        self._images.publish(raw)

    def listen_to_the_end(self) -> None:
        """Listen until all frames are settled, or until no result came for `RESULT_TIMEOUT_S`."""
        self._received_at = time.monotonic()
        self.wait_for(
            lambda: self._is_settled() or time.monotonic() - self._received_at > RESULT_TIMEOUT_S,
            "end",
            timeout=math.inf,
        )
        self.reports.clear()  # more results of the last frame may be on their way
        self.wait_for(lambda: self.reports, "report")

    def _is_settled(self) -> bool:
        """Return whether the node has every frame, processes none, and all its results have come."""
        if not self.reports:
            return False
        received, lost, under_way, processed = (
            int(self.reports[-1][f"frames {name}"]) for name in ("received", "lost", "under way", "processed")
        )
        return received + lost >= self.sent and not under_way and processed <= len(self._answered)

    def _has_started(self) -> bool:
        report = self.reports[-1] if self.reports else {"state": ""}
        if report["state"] == "unconfigured" and report["last error"]:
            raise ModelError(report["last error"])
        return report["state"] == "active"

    def _on_result(self, message: Segmentation) -> None:
        self._received_at = time.monotonic()
        self._answered.add(nanoseconds(message.header.stamp))
        self._on_segmentation(message)
