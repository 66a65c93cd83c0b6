"""Image files or a video -> a bag."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_ros.bags.typestore import NANOSECONDS, make_header
from dmmi_ros.bags.writer import BagWriter
from dmmi_ros.image_files import FileImage, open_images

COPIED_FORMATS = ("jpeg", "png")
"""Formats of files that are written unchanged as CompressedImage; others are encoded as JPEG."""
FRAME_ID = "camera"
DEFAULT_RATE_HZ = 10.0


def write_images(
    bag: BagWriter, source: Path, *, topic: str, rate: float | None, compressed: bool
) -> tuple[int, float]:
    """Write the images that `open_images` finds in `source`; return their number and the rate in Hz.

    The first is stamped with 1 s, because a stamp of 0 means "no stamp". `rate` defaults to the video's
    own, and to 10 Hz for images. Raises `InputError`.
    """
    images, own_rate = open_images(source)
    rate = rate or own_rate or DEFAULT_RATE_HZ
    count = 0
    for count, image in enumerate(images, start=1):
        stamp = NANOSECONDS + round((count - 1) * NANOSECONDS / rate)
        header = make_header(bag.typestore, stamp, FRAME_ID)
        make = _compressed if compressed else _raw
        bag.write(topic, make(bag.typestore.types, header, image), time=stamp)
    if not count:
        raise InputError(f"no pictures in {source}")
    return count, rate


def _raw(types: Mapping[str, Any], header: Any, image: FileImage) -> Any:
    height, width = image.bgr.shape[:2]
    return types["sensor_msgs/msg/Image"](
        header, height, width, "bgr8", 0, 3 * width, np.ascontiguousarray(image.bgr).reshape(-1)
    )


def _compressed(types: Mapping[str, Any], header: Any, image: FileImage) -> Any:
    data, format_ = image.encoded, image.format
    if data is None or format_ not in COPIED_FORMATS:
        _, jpeg = cv2.imencode(".jpg", image.bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
        data, format_ = jpeg.tobytes(), "jpeg"
    return types["sensor_msgs/msg/CompressedImage"](header, format_, np.frombuffer(data, np.uint8))
