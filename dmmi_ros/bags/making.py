"""Pictures into a bag."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_ros.bags.messages import NANOSECONDS, make_header
from dmmi_ros.bags.writing import BagWriter

SUFFIXES = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".bmp": "bmp", ".webp": "webp", ".tif": "tiff"}
"""Of the files that are taken for pictures, and their formats."""
SENT_AS_THEY_ARE = ("jpeg", "png")
FRAME_ID = "camera"


@dataclass(frozen=True)
class Picture:
    """`bgr` is uint8 (H, W, 3); `encoded` the JPEG or PNG file that it comes from, if any."""

    bgr: np.ndarray
    encoded: bytes | None = None
    format: str = "jpeg"


def write_pictures(
    bag: BagWriter, source: Path, *, topic: str, rate: float | None, compressed: bool
) -> tuple[int, float]:
    """Writes the images of a folder, by name, or the frames of a video; returns their number and the rate.

    The first is stamped with 1 s: a stamp of 0 would mean that there is none. `rate` in Hz defaults to the
    video's own, and to 10 for images. Raises `InputError`.
    """
    pictures, own_rate = (_folder(source), 10.0) if source.is_dir() else _video(source)
    rate = rate or own_rate
    count = 0
    for count, picture in enumerate(pictures, start=1):
        stamp = NANOSECONDS + round((count - 1) * NANOSECONDS / rate)
        header = make_header(bag.typestore, stamp, FRAME_ID)
        make = _compressed if compressed else _raw
        bag.write(topic, make(bag.typestore.types, header, picture), time=stamp)
    if not count:
        raise InputError(f"no pictures in {source}")
    return count, rate


def _folder(folder: Path) -> Iterator[Picture]:
    for path in sorted(folder.iterdir()):
        format_ = SUFFIXES.get(path.suffix.lower())
        if format_ is None:
            continue
        data = path.read_bytes()
        # Not by EXIF orientation, as the receiver of the compressed image will not go by it either.
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
        if bgr is None:
            raise InputError(f"not an image that can be read: {path}")
        yield Picture(bgr, data, format_) if format_ in SENT_AS_THEY_ARE else Picture(bgr)


def _video(path: Path) -> tuple[Iterator[Picture], float]:
    """Its frames, and how many there are in a second."""
    if not path.is_file():
        raise InputError(f"no such folder of images, and no such video: {path}")
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    if not video.isOpened() or not rate > 0:
        raise InputError(f"not a video that can be read: {path}")

    def frames() -> Iterator[Picture]:
        while (read := video.read())[0]:
            yield Picture(read[1])
        video.release()

    return frames(), rate


def _raw(types, header, picture: Picture):
    height, width = picture.bgr.shape[:2]
    return types["sensor_msgs/msg/Image"](
        header, height, width, "bgr8", 0, 3 * width, np.ascontiguousarray(picture.bgr).reshape(-1)
    )


def _compressed(types, header, picture: Picture):
    data = picture.encoded or cv2.imencode(".jpg", picture.bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return types["sensor_msgs/msg/CompressedImage"](header, picture.format, np.frombuffer(data, np.uint8))
