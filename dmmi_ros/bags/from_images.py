"""Pictures into a bag."""

from pathlib import Path

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_ros.bags.typestore import NANOSECONDS, make_header
from dmmi_ros.bags.writer import BagWriter
from dmmi_ros.image_files import Picture, open_pictures

SENT_AS_THEY_ARE = ("jpeg", "png")
FRAME_ID = "camera"
PICTURES_PER_SECOND = 10.0


def write_pictures(
    bag: BagWriter, source: Path, *, topic: str, rate: float | None, compressed: bool
) -> tuple[int, float]:
    """Writes what `open_pictures` finds in `source`; returns their number and the rate.

    The first is stamped with 1 s: a stamp of 0 would mean that there is none. `rate` in Hz defaults to the
    video's own, and to 10 for images. Raises `InputError`.
    """
    pictures, own_rate = open_pictures(source)
    rate = rate or own_rate or PICTURES_PER_SECOND
    count = 0
    for count, picture in enumerate(pictures, start=1):
        stamp = NANOSECONDS + round((count - 1) * NANOSECONDS / rate)
        header = make_header(bag.typestore, stamp, FRAME_ID)
        make = _compressed if compressed else _raw
        bag.write(topic, make(bag.typestore.types, header, picture), time=stamp)
    if not count:
        raise InputError(f"no pictures in {source}")
    return count, rate


def _raw(types, header, picture: Picture):
    height, width = picture.bgr.shape[:2]
    return types["sensor_msgs/msg/Image"](
        header, height, width, "bgr8", 0, 3 * width, np.ascontiguousarray(picture.bgr).reshape(-1)
    )


def _compressed(types, header, picture: Picture):
    data, format_ = picture.encoded, picture.format
    if format_ not in SENT_AS_THEY_ARE:
        _, jpeg = cv2.imencode(".jpg", picture.bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
        data, format_ = jpeg.tobytes(), "jpeg"
    return types["sensor_msgs/msg/CompressedImage"](header, format_, np.frombuffer(data, np.uint8))
