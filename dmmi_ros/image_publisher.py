"""A substitute for a camera: publishes an image, a folder of images or a video in a loop."""

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
from dmmi_ros.float_parameters import declare_float
from dmmi_ros.image_files import open_images
from dmmi_ros.run import catch_signals, spin_until


def read_frames(source: Path, *, repeats: int) -> Iterator[np.ndarray]:
    """Yield the frames of `source`, uint8 RGB (H, W, 3): those of a video once, each image `repeats` times.

    Raises `InputError` if `source` cannot be read.
    """
    images, video_rate = open_images(source)
    for image in images:
        pixels = cv2.cvtColor(image.bgr, cv2.COLOR_BGR2RGB)
        yield from repeat(pixels, 1 if video_rate else repeats)


class ImagePublisher(Node):
    """Publishes `rate` frames per second on `image`; each image of a folder is shown for `hold` seconds.

    Raises `InputError` if the parameter `source` cannot be read.
    """

    def __init__(self) -> None:
        super().__init__("camera")
        source: str = self.declare_parameter("source", "").value
        rate = declare_float(self, "rate", 10.0)
        hold = declare_float(self, "hold", 3.0)
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
        try:
            self._next = next(self._frames)
        except StopIteration:
            self._frames = read_frames(self._source, repeats=self._repeats)
            self._next = next(self._frames)


def main(args: list[str] | None = None) -> int:
    """Run the publisher until SIGINT or SIGTERM (console script `dmmi_player`); return the exit status."""
    try:
        stop = catch_signals()
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        spin_until(stop, ImagePublisher())
    except (InputError, ParameterException, RuntimeError) as error:
        print(f"dmmi_player: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    return 0
