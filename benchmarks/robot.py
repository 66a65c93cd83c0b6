"""The robot around a node under measurement: its camera, voice and ears, in one process."""

import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from dmmi.msg import Segmentation
from dmmi_ros.images import from_array
from dmmi_ros.process import Domain, NodeProcess

HERE = Path(__file__).parent
PROFILE = HERE.parent / "config" / "fastdds_images.xml"
NODES = {
    "stub": [sys.executable, HERE / "stub.py"],
    "dmmi-lite": [Path(sysconfig.get_path("scripts")) / "dmmi_node"],
}
"""The commands that start the node around each model."""
TIMEOUT_S = 180.0


def camera_picture(height: int, width: int) -> np.ndarray:
    """Noise with two red boxes, which the stub finds; uint8 RGB (H, W, 3)."""
    picture = np.random.default_rng(0).integers(60, 160, (height, width, 3), np.uint8)
    picture[height // 4 : height // 2, width // 8 : width // 2] = (220, 20, 40)
    picture[height // 2 : height * 3 // 4, width * 5 // 8 : width * 7 // 8] = (220, 20, 40)
    return picture


class Robot(Node):
    """Remembers when each frame was sent and answered, by its stamp, and every report of /diagnostics."""

    def __init__(self, node: NodeProcess):
        super().__init__("robot")
        self._node = node
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)
        self._camera = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._voice = self.create_publisher(String, "command", 10)
        self._lifecycle = self.create_client(ChangeState, "dmmi/change_state")
        self.sent: dict[int, float] = {}
        self.answered: dict[int, float] = {}
        self.reports: list[dict[str, str]] = []
        self.create_subscription(Segmentation, "dmmi/segmentation", self._take_answer, 100)
        # Last, so that a node heard here has met all that listens before it.
        self.create_subscription(DiagnosticArray, "/diagnostics", self._take_report, 100)

    def wait_until_active(self) -> None:
        self.wait_for_report(state="active")
        self.wait_for(self._camera.get_subscription_count, "image subscription")
        self.wait_for(self._voice.get_subscription_count, "command subscription")
        self.wait_for(lambda: self.count_publishers("dmmi/segmentation"), "publisher of answers")

    def wait_for(self, condition: Callable[[], object], what: str, *, timeout: float = TIMEOUT_S) -> None:
        """Listens until `condition()` holds; raises `RuntimeError` without it or without the node."""
        deadline = time.monotonic() + timeout
        while not condition():
            if not self._node.is_alive:
                raise RuntimeError("the node has ended")
            if time.monotonic() > deadline:
                raise RuntimeError(f"no {what} within {timeout:.0f} s; last report: {self.reports[-1:]}")
            self._spinner.spin_once(timeout_sec=0.1)

    def listen_until(self, instant: float) -> None:
        """Listens until `instant` of the monotonic clock."""
        while (rest := instant - time.monotonic()) > 0:
            self._spinner.spin_once(timeout_sec=rest)

    def wait_for_report(self, *, timeout: float = TIMEOUT_S, **expected: str) -> None:
        """Listens until a new report has these values."""
        self.reports.clear()
        self.wait_for(
            lambda: self.reports and expected.items() <= self.reports[-1].items(),
            f"report of {expected}",
            timeout=timeout,
        )

    def give_command(self, text: str) -> None:
        self._voice.publish(String(data=text))

    def show(self, message: Image) -> None:
        """Sends one frame, under the time of its sending."""
        stamp = self.get_clock().now()
        message.header = Header(stamp=stamp.to_msg(), frame_id="camera")
        self.sent[stamp.nanoseconds] = time.monotonic()
        self._camera.publish(message)

    def change_state(self, transition: str) -> None:
        """Asks for one lifecycle transition; raises `RuntimeError` if the node does not make it."""
        self.wait_for(self._lifecycle.service_is_ready, "lifecycle service")
        future = self._lifecycle.call_async(ChangeState.Request(transition=Transition(label=transition)))
        self.wait_for(future.done, f"end of {transition}")
        if not future.result().success:
            raise RuntimeError(f"the node did not {transition}; last report: {self.reports[-1:]}")

    def _take_answer(self, message: Segmentation) -> None:
        stamp = message.header.stamp
        self.answered[stamp.sec * 10**9 + stamp.nanosec] = time.monotonic()

    def _take_report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith("/dmmi"):
                self.reports.append({value.key: value.value for value in status.values})


def as_camera_sends_it(picture: np.ndarray) -> Image:
    """`picture`, uint8 RGB (H, W, 3), as bgr8, what most drivers send."""
    message = from_array(np.ascontiguousarray(picture[..., ::-1]), header=Header())
    message.encoding = "bgr8"
    return message


@contextmanager
def robot_around(model: str) -> Iterator[tuple[Robot, NodeProcess]]:
    """A robot and its node, active, around `model`, one of `NODES`; both in a ROS domain of their own."""
    domain = Domain()  # held until the end
    environment = domain.environment(profile=PROFILE)
    os.environ.update(environment)
    command = [*NODES[model], "--ros-args", "-p", "autostart:=true"]
    with (
        TemporaryDirectory() as folder,
        (Path(folder) / "node.log").open("w+") as log,
        NodeProcess(command, environment=environment, output=log) as node,
        rclpy.init(),
    ):
        robot = Robot(node)
        try:
            robot.wait_until_active()
            yield robot, node
        except RuntimeError:
            print((Path(folder) / "node.log").read_text()[-4000:], file=sys.stderr)
            raise
        robot.destroy_node()
