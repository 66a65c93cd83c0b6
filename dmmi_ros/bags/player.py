"""The camera and the person for a node in a process of its own; the part of `dmmi-bag` that needs ROS."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dmmi.msg import Segmentation
from dmmi_core.errors import ModelError
from dmmi_core.share import shared
from dmmi_ros.bags.reading import IMAGE
from dmmi_ros.commands import MOST_REQUESTS
from dmmi_ros.process import Domain, NodeProcess

START_S = 300.0
"""What a node may need to load its model, on a busy machine."""
SILENCE_S = 15.0
"""After this without an answer, what has none is taken for dropped."""
QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
PROGRAM = "import sys; from dmmi_ros.node import main; sys.exit(main())"


@contextmanager
def started_player(
    type_: str, *, parameters: dict[str, str], on_answer: Callable[[Segmentation], None]
) -> Iterator["Player"]:
    """A player, and an active node beside it, in a ROS domain that nobody else uses."""
    domain = Domain()
    environment = domain.environment(profile=shared("config", "fastdds_images.xml"))
    os.environ.update(environment)
    parameters = {
        "autostart": "true",
        "image_reliability": "reliable",
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
            player = Player(type_, context=context, process=process, log=log, on_answer=on_answer)
            player.wait_until_active()
            yield player
    finally:
        rclpy.shutdown(context=context)


class Player:
    """Sends frames and commands, and hands every answer to `on_answer` while it listens."""

    def __init__(
        self,
        type_: str,
        *,
        context: Context,
        process: NodeProcess,
        log: IO[str],
        on_answer: Callable[[Segmentation], None],
    ):
        self._process = process
        self._log = log
        self._on_answer = on_answer
        self._heard_at = time.monotonic()
        self._report: dict[str, str] = {}
        self._node = rclpy.create_node("dmmi_bag", context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._node)
        message, topic = (Image, "image") if type_ == IMAGE else (CompressedImage, "image/compressed")
        self._images = self._node.create_publisher(message, topic, QOS)
        self._commands = self._node.create_publisher(String, "command", QOS)
        self._node.create_subscription(Segmentation, "dmmi/segmentation", self._take, QOS)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._take_report, QOS)

    def wait_until_active(self) -> None:
        """Raises `ModelError` where the node cannot be."""
        self._wait(lambda: self._report.get("state") == "active" or self._has_failed(), "is not active")
        if self._has_failed():
            raise ModelError(self._report["last error"])
        for publisher in (self._images, self._commands):
            self._wait(publisher.get_subscription_count, "does not listen")
        self._wait(lambda: self._node.count_publishers("dmmi/segmentation"), "does not speak")

    def tell(self, text: str) -> None:
        """Gives a command and waits until it holds."""
        self._report = {}
        self._commands.publish(String(data=text))
        held = "\n".join(text.splitlines()[:MOST_REQUESTS])
        self._wait(lambda: self._report.get("command") == held, "does not take commands")

    def send(self, raw: bytes) -> None:
        """Publishes an image, serialised."""
        self._images.publish(raw)

    def listen_until(self, instant: float) -> None:
        """`instant` of the monotonic clock; returns at once if it is past."""
        while (rest := instant - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=rest)

    def listen_to_the_end(self, is_complete: Callable[[], bool]) -> None:
        """Until it is, or until nothing has been heard for SILENCE_S."""
        self._heard_at = time.monotonic()
        while not is_complete() and time.monotonic() - self._heard_at < SILENCE_S:
            self._spin("ended")

    def _wait(self, condition: Callable[[], bool], failure: str) -> None:
        deadline = time.monotonic() + START_S
        while not condition():
            self._spin(failure)
            if time.monotonic() > deadline:
                raise ModelError(f"the node {failure} after {START_S:.0f} s: {self._last_words()}")

    def _spin(self, failure: str) -> None:
        self._executor.spin_once(timeout_sec=0.1)
        if not self._process.is_alive:
            raise ModelError(f"the node {failure}: {self._last_words()}")

    def _has_failed(self) -> bool:
        return self._report.get("state") == "unconfigured" and bool(self._report.get("last error"))

    def _last_words(self) -> str:
        self._log.seek(0)
        return (self._log.read().strip().splitlines() or ["it said nothing"])[-1]

    def _take(self, message: Segmentation) -> None:
        self._heard_at = time.monotonic()
        self._on_answer(message)

    def _take_report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith("/dmmi:"):
                self._report = {value.key: value.value for value in status.values}
