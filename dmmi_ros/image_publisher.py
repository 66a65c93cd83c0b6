"""A camera for machines without one: publishes a picture, a folder of pictures or a video, over and over."""

import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import rclpy
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_ros.conversion.images import from_array
from dmmi_ros.image_files import open_pictures
from dmmi_ros.run import catch_signals, spin_until


def read_frames(source: Path, *, repeats: int) -> Iterator[np.ndarray]:
    """The frames of `source`, uint8 RGB (H, W, 3): those of a video once, each picture `repeats` times.

    Raises `InputError` where there is nothing to be read.
    """
    pictures, video_rate = open_pictures(source)
    for picture in pictures:
        pixels = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2RGB)
        yield from repeat(pixels, 1 if video_rate else repeats)


class Camera(Node):
    """Publishes `rate` frames a second on `image`; raises `InputError` if `source` cannot be read."""

    def __init__(self):
        super().__init__("camera")
        source = self.declare_parameter("source", "").value
        rate = self.declare_parameter("rate", 10.0).value
        hold = self.declare_parameter("hold", 3.0).value
        if rate <= 0 or hold < 0:
            raise InputError("rate must be above 0, and hold not below 0")
        self._source, self._repeats = Path(source), max(1, round(rate * hold))
        self._frames = read_frames(self._source, repeats=self._repeats)
        self._next = next(self._frames)
        self._publisher = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self.create_timer(1 / rate, self._publish)

    def _publish(self) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id="camera")
        self._publisher.publish(from_array(self._next, header=header))
        self._next = next(self._frames, None)
        if self._next is None:
            self._frames = read_frames(self._source, repeats=self._repeats)
            self._next = next(self._frames)


def main(args: list[str] | None = None) -> int:
    """Runs the camera until SIGINT or SIGTERM; the console script `dmmi_player`. Returns the exit status."""
    try:
        stop = catch_signals()
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        spin_until(stop, Camera())
    except (InputError, ParameterException, RuntimeError) as error:
        print(f"dmmi_player: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    return 0
