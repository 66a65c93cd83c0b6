"""Bags of synthetic images, written with rosbags alone."""

from pathlib import Path

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_KILTED)
TYPES = STORE.types
SIDE = 64  # the input size of RedFinder, so that masks are exact
SECOND = 10**9
START = 1_700_000_000 * SECOND
"""Start of the recording in nanoseconds; the stamps of the headers are 5 s older."""
STAMP_OFFSET = -5 * SECOND
TOPIC = "/camera/image_raw"


def header(time: int):
    stamp = TYPES["builtin_interfaces/msg/Time"](*divmod(time + STAMP_OFFSET, SECOND))
    return TYPES["std_msgs/msg/Header"](stamp, "camera_link")


def raw(pixels: np.ndarray, time: int, *, encoding: str = "rgb8", padding: int = 0):
    """Return `pixels`, uint8 (H, W[, C]), as an Image."""
    height, width = pixels.shape[:2]
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (0, padding)), constant_values=99)
    step = rows.shape[1]
    return TYPES["sensor_msgs/msg/Image"](
        header(time), height, width, encoding, 0, step, np.ascontiguousarray(rows).reshape(-1)
    )


def compressed(pixels: np.ndarray, time: int):
    data = cv2.imencode(".png", pixels[..., ::-1])[1].reshape(-1)
    return TYPES["sensor_msgs/msg/CompressedImage"](header(time), "rgb8; png compressed bgr8", data)


def write_bag(path: Path, messages: list[tuple[str, int, object]], *, storage: str = "mcap") -> Path:
    """Write messages with their topics and times of recording; bytes stand for a broken Image."""
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        connections = {}
        for topic, time, message in messages:
            type_ = getattr(message, "__msgtype__", "sensor_msgs/msg/Image")
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, type_, typestore=STORE)
            data = message if isinstance(message, bytes) else bytes(STORE.serialize_cdr(message, type_))
            writer.write(connections[topic], time, data)
    return path


def red_boxes(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Return a black image with red boxes (x, y, width, height)."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    for x, y, width, height in boxes:
        image[y : y + height, x : x + width] = 255, 0, 0
    return image


def box_mask(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y : y + height, x : x + width] = True
    return mask
