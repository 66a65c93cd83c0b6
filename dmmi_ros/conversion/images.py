"""sensor_msgs images <-> NumPy."""

from array import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi_ros.conversion.decoding import image_fields, to_rgb

__all__ = ["from_array", "to_rgb"]


def from_array(pixels: np.ndarray, *, header: Header) -> Image:
    """Return `pixels` as an Image: mono8 for uint8 (H, W), mono16 for uint16, rgb8 for uint8 (H, W, 3)."""
    data = array("B", pixels.tobytes())  # rclpy checks anything else byte by byte
    return Image(header=header, **image_fields(pixels), data=data)
