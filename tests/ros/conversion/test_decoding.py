"""Image messages are decoded from any object with their fields, and without ROS."""

import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np

from dmmi_ros.conversion.decoding import to_rgb

PIXELS = np.random.default_rng(1).integers(0, 256, (4, 5, 3), np.uint8)


def test_padded_rows():
    rows = np.pad(PIXELS.reshape(4, 15), ((0, 0), (0, 2)), constant_values=99)
    message = SimpleNamespace(
        encoding="bgr8", height=4, width=5, step=17, is_bigendian=0, data=rows.reshape(-1)
    )
    np.testing.assert_array_equal(to_rgb(message), PIXELS[..., ::-1])


def test_compressed():
    data = cv2.imencode(".png", PIXELS[..., ::-1])[1]
    np.testing.assert_array_equal(to_rgb(SimpleNamespace(format="png", data=data)), PIXELS)


def test_no_ros_is_imported():
    code = """
import sys, dmmi_ros.conversion.decoding
print([m for m in ('sensor_msgs', 'rclpy') if m in sys.modules])
"""
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
