"""A client of a node under measurement: a camera, a source of commands and a listener in one process."""

import os
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from dmmi.msg import Segmentation
from dmmi_ros.conversion.images import from_array
from dmmi_ros.testing.node_monitor import NodeMonitor, NodeUnresponsive
from dmmi_ros.testing.node_process import Domain, NodeProcess

HERE = Path(__file__).parent
NODES = {
    "stub": [sys.executable, HERE / "stub.py"],
    "dmmi-lite": [Path(sysconfig.get_path("scripts")) / "dmmi_node"],
}
"""The command that starts the node with each model."""
TIMEOUT_S = 180.0


def camera_image(height: int, width: int) -> np.ndarray:
    """Return noise with two red boxes, which the stub finds; uint8 RGB (H, W, 3)."""
    image = np.random.default_rng(0).integers(60, 160, (height, width, 3), np.uint8)
    image[height // 4 : height // 2, width // 8 : width // 2] = (220, 20, 40)
    image[height // 2 : height * 3 // 4, width * 5 // 8 : width * 7 // 8] = (220, 20, 40)
    return image


class Robot(NodeMonitor):
    """Records when each frame was sent and answered, by its stamp in nanoseconds.

    Methods that wait raise `NodeUnresponsive`.
    """

    def __init__(self, node: NodeProcess) -> None:
        super().__init__("robot", timeout=TIMEOUT_S, is_node_alive=lambda: node.is_alive)
        self._camera = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._commands = self.create_publisher(String, "command", 10)
        self._lifecycle = self.create_client(ChangeState, "dmmi/change_state")
        self._parameters = self.create_client(SetParameters, "dmmi/set_parameters")
        self.sent: dict[int, float] = {}
        self.answered: dict[int, float] = {}
        self.create_subscription(Segmentation, "dmmi/segmentation", self._on_segmentation, 100)
        self.listen_to_reports()

    def wait_until_active(self) -> None:
        """Wait until the node is active and connected."""
        self.wait_for_report(state="active")
        self.wait_for(self._camera.get_subscription_count, "image subscription")
        self.wait_for(self._commands.get_subscription_count, "command subscription")
        self.wait_for(lambda: self.count_publishers("dmmi/segmentation"), "publisher of results")

    def give_command(self, text: str) -> None:
        """Publish a command."""
        self._commands.publish(String(data=text))

    def send(self, message: Image) -> None:
        """Publish a frame, stamped with the present time."""
        stamp = self.get_clock().now()
        message.header = Header(stamp=stamp.to_msg(), frame_id="camera")
        self.sent[stamp.nanoseconds] = time.monotonic()
        self._camera.publish(message)

    def change_state(self, transition: str) -> None:
        """Request a lifecycle transition. Raises `NodeUnresponsive` if it fails."""
        self.wait_for(self._lifecycle.service_is_ready, "lifecycle service")
        future = self._lifecycle.call_async(ChangeState.Request(transition=Transition(label=transition)))
        self.wait_for(future.done, f"end of {transition}")
        if not future.result().success:
            raise NodeUnresponsive(f"the node did not {transition}; last report: {self.reports[-1:]}")

    def set_parameter(self, name: str, value: float) -> None:
        """Set a parameter of the node. Raises `NodeUnresponsive` if it is refused."""
        self.wait_for(self._parameters.service_is_ready, "parameter service")
        parameter = Parameter(name, value=value).to_parameter_msg()
        future = self._parameters.call_async(SetParameters.Request(parameters=[parameter]))
        self.wait_for(future.done, f"setting of {name}")
        if not future.result().results[0].successful:
            raise NodeUnresponsive(f"the node refused {name}={value}")

    def _on_segmentation(self, message: Segmentation) -> None:
        stamp = message.header.stamp
        self.answered[stamp.sec * 10**9 + stamp.nanosec] = time.monotonic()


def resident_mib(pid: int) -> float:
    """Return the resident memory (RSS) of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def camera_message(image: np.ndarray) -> Image:
    """Return `image`, uint8 RGB (H, W, 3), as bgr8, which most drivers send."""
    message = from_array(np.ascontiguousarray(image[..., ::-1]), header=Header())
    message.encoding = "bgr8"
    return message


@contextmanager
def robot_around(
    model: str, *, command: Sequence[str | Path] | None = None
) -> Iterator[tuple[Robot, NodeProcess]]:
    """Start a node with `model`, one of `NODES`; yield a robot and the process once the node is active.

    `command` starts another program instead.
    """
    domain = Domain()  # reserved until the end
    environment = domain.environment()
    os.environ.update(environment)
    command = [*(command or NODES[model]), "--ros-args", "-p", "autostart:=true"]
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
        except NodeUnresponsive:
            print((Path(folder) / "node.log").read_text()[-4000:], file=sys.stderr)
            raise
        robot.destroy_node()
