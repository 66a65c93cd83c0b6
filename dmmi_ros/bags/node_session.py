"""The camera and the person for a node in a process of its own; the part of `dmmi-bag` that needs ROS."""

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
from dmmi_ros.testing.node_monitor import Companion, NodeSilent
from dmmi_ros.testing.node_process import Domain, NodeProcess

START_S = 300.0
"""What a node may need to load its model, on a busy machine."""
SILENCE_S = 15.0
"""After this without an answer, what has none is taken for dropped, whatever the node reports."""
REPORTS_S = 0.1
"""The node reports of itself this often: what waits for a report should not keep frames waiting."""
QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
PROGRAM = "import sys; from dmmi_ros.node import main; sys.exit(main())"


@contextmanager
def started_player(
    type_: str, *, parameters: dict[str, str], on_answer: Callable[[Segmentation], None]
) -> Iterator["Player"]:
    """A player, and an active node beside it, in a ROS domain that nobody else uses."""
    domain = Domain()
    environment = domain.environment()
    os.environ.update(environment)
    parameters = {
        "autostart": "true",
        "image_reliability": "reliable",
        "diagnostics_period": str(REPORTS_S),
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
                player = Player(type_, context=context, process=process, on_answer=on_answer)
                player.wait_until_active()
                yield player
            except NodeSilent as error:
                raise ModelError(f"{error}; {_last_line(log)}") from error
    finally:
        rclpy.shutdown(context=context)


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    return (log.read().strip().splitlines() or ["it said nothing"])[-1]


class Player(Companion):
    """Sends frames and commands, and hands every answer to `on_answer` while it listens.

    What waits raises `NodeSilent`.
    """

    def __init__(
        self,
        type_: str,
        *,
        context: Context,
        process: NodeProcess,
        on_answer: Callable[[Segmentation], None],
    ):
        super().__init__("dmmi_bag", context=context, timeout=START_S, is_node_alive=lambda: process.is_alive)
        self._on_answer = on_answer
        self._heard_at = time.monotonic()
        self.sent = 0
        """How many images were sent."""
        self._answered: set[int] = set()
        """The stamps of the frames that have answers, in nanoseconds."""
        message, topic = (Image, "image") if type_ == IMAGE else (CompressedImage, "image/compressed")
        self._images = self.create_publisher(message, topic, QOS)
        self._commands = self.create_publisher(String, "command", QOS)
        self.create_subscription(Segmentation, "dmmi/segmentation", self._take, QOS)
        self.listen_to_reports()

    def wait_until_active(self) -> None:
        """Raises `ModelError` where the node cannot be."""
        self.wait_for(self._has_started, "active node")
        for publisher in (self._images, self._commands):
            self.wait_for(publisher.get_subscription_count, "subscription")
        self.wait_for(lambda: self.count_publishers("dmmi/segmentation"), "publisher of answers")

    def tell(self, text: str) -> None:
        """Gives a command and waits until it holds."""
        self.reports.clear()
        self._commands.publish(String(data=text))
        self.wait_for_report(command=text)

    def send(self, raw: bytes) -> None:
        """Publishes an image, serialised; each must have a stamp of its own."""
        self.sent += 1
        self._images.publish(raw)

    def listen_to_the_end(self) -> None:
        """Until the answers to all that was sent are here, or until none has been heard for SILENCE_S."""
        self._heard_at = time.monotonic()
        self.wait_for(
            lambda: self._is_settled() or time.monotonic() - self._heard_at > SILENCE_S,
            "end",
            timeout=math.inf,
        )
        self.reports.clear()  # to the last frame there may be more answers than one
        self.wait_for(lambda: self.reports, "report")

    def _is_settled(self) -> bool:
        """Whether the node has met every frame and works on none, and what it answered has been heard."""
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

    def _take(self, message: Segmentation) -> None:
        self._heard_at = time.monotonic()
        self._answered.add(nanoseconds(message.header.stamp))
        self._on_answer(message)
