"""Image messages -> NumPy arrays. Works on any object with the fields of the message, so without ROS.

cv_bridge or rosbags-image convert colours. Rows, byte order and depth are handled here, because both get them
wrong: rosbags-image ignores `step`, and cv_bridge fails on big-endian data and on steps that are not a
multiple of a pixel. They receive 8 bits a channel, as images end up with 8 bits anyway.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import PIL.Image

from dmmi_core.errors import InputError, one_line

if TYPE_CHECKING:
    from sensor_msgs.msg import CompressedImage, Image

BYTES_PER_PIXEL = {
    "rgb8": 3,
    "bgr8": 3,
    "rgba8": 4,
    "bgra8": 4,
    "mono8": 1,
    "mono16": 2,
    "8UC1": 1,
    "8UC3": 3,
    "8UC4": 4,
    "16UC1": 2,
    "bayer_rggb8": 1,
    "bayer_bggr8": 1,
    "bayer_gbrg8": 1,
    "bayer_grbg8": 1,
    "bayer_rggb16": 2,
    "bayer_bggr16": 2,
    "bayer_gbrg16": 2,
    "bayer_grbg16": 2,
    "uyvy": 2,
    "yuyv": 2,
    "yuv422": 2,
    "yuv422_yuy2": 2,
}
"""The supported encodings."""
MAX_PIXELS = 100_000_000
"""Size limit of compressed images; no camera has more."""

_ARRAY_ENCODING = {("uint8", 2): "mono8", ("uint16", 2): "mono16", ("uint8", 3): "rgb8"}
_COLOUR_OF = {"8UC1": "mono8", "8UC3": "bgr8", "8UC4": "bgra8"}
_HIGH_BYTES = {"16UC1": "mono8"} | {
    encoding: encoding.replace("16", "8") for encoding in BYTES_PER_PIXEL if encoding.endswith("16")
}
"""The encoding of the upper 8 of 16 bits."""


@dataclass(frozen=True)
class _TightImage:
    """An 8-bit Image without row padding; has the fields that the converters read."""

    encoding: str
    height: int
    width: int
    step: int
    data: np.ndarray
    is_bigendian: int = 0


def _load_converter() -> Callable[[Any], np.ndarray]:
    """Return a function that converts an 8-bit Image without row padding to uint8 RGB (H, W, 3)."""
    try:
        from cv_bridge import CvBridge
    except Exception:  # not installed, or built against another NumPy, which raises almost anything
        from rosbags.image import message_to_cvimage

        return lambda message: message_to_cvimage(message, "rgb8")
    bridge = CvBridge()
    return lambda message: bridge.imgmsg_to_cv2(message, "rgb8")


_convert = _load_converter()


def to_rgb(message: "Image | CompressedImage") -> np.ndarray:
    """Return the image in `message` as uint8 RGB (H, W, 3); 16-bit images lose their low byte.

    Raises `InputError`, one line, for an encoding not in `BYTES_PER_PIXEL`, for inconsistent sizes and for
    data that cannot be decoded.
    """
    if hasattr(message, "format"):  # only a CompressedImage has it
        return _decode(message)
    tight = _tightened(message)
    try:
        return _convert(tight)
    except Exception as error:  # the converters' own types, cv2.error and AssertionError
        raise InputError(
            f"cannot convert a {message.width} x {message.height} {message.encoding!r} image: "
            f"{one_line(error)}"
        ) from error


def image_fields(pixels: np.ndarray) -> dict[str, Any]:
    """Return the fields of the Image that holds `pixels`, except `header` and `data`.

    `pixels` are uint8 (H, W), uint16 (H, W) or uint8 (H, W, 3): mono8, mono16 or rgb8.
    """
    height, width = pixels.shape[:2]
    encoding = _ARRAY_ENCODING[pixels.dtype.name, pixels.ndim]
    return {
        "height": height,
        "width": width,
        "encoding": encoding,
        "is_bigendian": int(sys.byteorder == "big"),
        "step": width * BYTES_PER_PIXEL[encoding],
    }


def rows_of(message: "Image", pixel_bytes: Mapping[str, int]) -> np.ndarray:
    """Return the bytes of each row without its padding, uint8 (H, width * bytes per pixel).

    `pixel_bytes` has the bytes per pixel of each accepted encoding. Raises `InputError` for any other, and
    for inconsistent sizes.
    """
    row_bytes = _checked_row_bytes(message, pixel_bytes)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)[:, :row_bytes]


def _tightened(message: "Image") -> "Image | _TightImage":
    """Return the same image with 8 bits a channel and `step` = width * bytes per pixel."""
    rows = rows_of(message, BYTES_PER_PIXEL)
    if encoding := _HIGH_BYTES.get(message.encoding):
        rows = rows[:, 0 if message.is_bigendian else 1 :: 2]
    elif message.step == rows.shape[1] and message.encoding not in _COLOUR_OF:
        return message
    else:
        encoding = _COLOUR_OF.get(message.encoding, message.encoding)
    return _TightImage(
        encoding=encoding,
        height=message.height,
        width=message.width,
        step=rows.shape[1],
        data=np.ascontiguousarray(rows),
    )


def _checked_row_bytes(message: "Image", pixel_bytes: Mapping[str, int]) -> int:
    """Return width * bytes per pixel. Raises `InputError` as `rows_of` does."""
    try:
        row_bytes = message.width * pixel_bytes[message.encoding]
    except KeyError:
        raise InputError(
            f"unsupported image encoding {message.encoding[:40]!r}; supported: {', '.join(pixel_bytes)}"
        ) from None
    size = f"{message.width} x {message.height} {message.encoding}"
    if not message.width or not message.height:
        raise InputError(f"empty image ({size})")
    if message.step < row_bytes:
        raise InputError(f"image step {message.step} is less than the {row_bytes} bytes of a row ({size})")
    expected = message.step * message.height
    if len(message.data) != expected:
        raise InputError(f"image has {len(message.data)} bytes, not step x height = {expected} ({size})")
    return row_bytes


def _decode(message: "CompressedImage") -> np.ndarray:
    _check_size(message)
    # Ignore the EXIF orientation: masks must lie on the pixels as the camera sent them.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(np.frombuffer(message.data, np.uint8), flags)
    except cv2.error as error:
        raise InputError(f"cannot decode the compressed image: {one_line(error)}") from error
    if bgr is None:
        raise InputError(
            f"cannot decode the compressed image: {len(message.data)} bytes, format {message.format[:40]!r}"
        )
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _check_size(message: "CompressedImage") -> None:
    # OpenCV trusts damaged sizes: 69 bytes of PNG can cost it seconds and gigabytes.
    try:
        with PIL.Image.open(BytesIO(message.data)) as image:
            width, height = image.size
            image.verify()
    except Exception as error:  # Pillow's own types, and struct.error, SyntaxError and others of its parsers
        raise InputError(
            f"cannot decode the compressed image: {len(message.data)} bytes, format {message.format[:40]!r}"
        ) from error
    if width * height > MAX_PIXELS:
        raise InputError(f"cannot decode the compressed image: {width} x {height} is too large")
