"""sensor_msgs images <-> NumPy."""

import sys
from array import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi_ros.conversion.decoding import BYTES_PER_PIXEL, to_rgb

__all__ = ["BYTES_PER_PIXEL", "from_array", "to_rgb"]

_ARRAY_ENCODING = {("uint8", 2): "mono8", ("uint16", 2): "mono16", ("uint8", 3): "rgb8"}


def from_array(pixels: np.ndarray, *, header: Header) -> Image:
    """`pixels` as an Image: uint8 (H, W) is mono8, uint16 (H, W) mono16, uint8 (H, W, 3) rgb8."""
    message = Image(header=header, encoding=_ARRAY_ENCODING[pixels.dtype.name, pixels.ndim])
    message.height, message.width = pixels.shape[:2]
    message.step = message.width * BYTES_PER_PIXEL[message.encoding]
    message.is_bigendian = int(sys.byteorder == "big")
    message.data = array("B", pixels.tobytes())  # assigned as it is; anything else is checked byte by byte
    return message
