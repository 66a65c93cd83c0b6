"""The robot around a node under measurement: its camera, voice and ears, in one process."""

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from dmmi.msg import Segmentation
from dmmi_ros.conversion.images import from_array
from dmmi_ros.testing.node_monitor import Companion, NodeSilent
from dmmi_ros.testing.node_process import Domain, NodeProcess

HERE = Path(__file__).parent
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


class Robot(Companion):
    """Remembers when each frame was sent and answered, by its stamp. What waits raises `NodeSilent`."""

    def __init__(self, node: NodeProcess):
        super().__init__("robot", timeout=TIMEOUT_S, is_node_alive=lambda: node.is_alive)
        self._camera = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._voice = self.create_publisher(String, "command", 10)
        self._lifecycle = self.create_client(ChangeState, "dmmi/change_state")
        self.sent: dict[int, float] = {}
        self.answered: dict[int, float] = {}
        self.create_subscription(Segmentation, "dmmi/segmentation", self._take_answer, 100)
        self.listen_to_reports()

    def wait_until_active(self) -> None:
        self.wait_for_report(state="active")
        self.wait_for(self._camera.get_subscription_count, "image subscription")
        self.wait_for(self._voice.get_subscription_count, "command subscription")
        self.wait_for(lambda: self.count_publishers("dmmi/segmentation"), "publisher of answers")

    def give_command(self, text: str) -> None:
        self._voice.publish(String(data=text))

    def show(self, message: Image) -> None:
        """Sends one frame, under the time of its sending."""
        stamp = self.get_clock().now()
        message.header = Header(stamp=stamp.to_msg(), frame_id="camera")
        self.sent[stamp.nanoseconds] = time.monotonic()
        self._camera.publish(message)

    def change_state(self, transition: str) -> None:
        """Asks for one lifecycle transition; raises `NodeSilent` if the node does not make it."""
        self.wait_for(self._lifecycle.service_is_ready, "lifecycle service")
        future = self._lifecycle.call_async(ChangeState.Request(transition=Transition(label=transition)))
        self.wait_for(future.done, f"end of {transition}")
        if not future.result().success:
            raise NodeSilent(f"the node did not {transition}; last report: {self.reports[-1:]}")

    def _take_answer(self, message: Segmentation) -> None:
        stamp = message.header.stamp
        self.answered[stamp.sec * 10**9 + stamp.nanosec] = time.monotonic()


def as_camera_sends_it(picture: np.ndarray) -> Image:
    """`picture`, uint8 RGB (H, W, 3), as bgr8, what most drivers send."""
    message = from_array(np.ascontiguousarray(picture[..., ::-1]), header=Header())
    message.encoding = "bgr8"
    return message


@contextmanager
def robot_around(model: str) -> Iterator[tuple[Robot, NodeProcess]]:
    """A robot and its node, active, around `model`, one of `NODES`; both in a ROS domain of their own."""
    domain = Domain()  # held until the end
    environment = domain.environment()
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
        except NodeSilent:
            print((Path(folder) / "node.log").read_text()[-4000:], file=sys.stderr)
            raise
        robot.destroy_node()
