"""Image messages -> NumPy arrays. Works on any object with the fields of the message, so without ROS.

OpenCV converts the colours. cv_bridge and rosbags-image, which call it too, get rows with padding and
big-endian data wrong.
"""

import re
import sys
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import PIL.Image

from dmmi_core.errors import InputError, one_line
from dmmi_ros.conversion.bit_depth import BitDepth
from dmmi_ros.conversion.encodings import ENCODINGS, Encoding

if TYPE_CHECKING:
    from sensor_msgs.msg import CompressedImage, Image

MAX_PIXELS = 100_000_000
"""Size limit of compressed images; no camera has more."""

_ARRAY_ENCODING = {("uint8", 2): "mono8", ("uint16", 2): "mono16", ("uint8", 3): "rgb8"}
_COMPRESSED_FORMAT = re.compile(r"(?P<raw>[\w]*);.*compressed *(?P<stored>\w*)")
"""As sensor_msgs/CompressedImage specifies it: "bgr8; jpeg compressed rgb8"."""


def to_rgb(message: "Image | CompressedImage", bit_depth: BitDepth | None = None) -> np.ndarray:
    """Return the image in `message` as uint8 RGB (H, W, 3).

    16-bit images are brought to 8 by `bit_depth`, which belongs to the camera; by default, the number of bits
    is found in this image. Raises `InputError`, one line, for an encoding not in `ENCODINGS`, for
    inconsistent sizes and for data that cannot be decoded.
    """
    bit_depth = bit_depth or BitDepth()
    if hasattr(message, "format"):  # only a CompressedImage has it
        return _decompress(message, bit_depth)
    _check_encoding(message, ENCODINGS)
    encoding = ENCODINGS[message.encoding]
    height = _image_height(message, encoding)
    samples = _samples(message, encoding, rows=encoding.rows(height))
    if encoding.bits == 16:
        samples = bit_depth.to_8_bits(samples)
    rgb = encoding.to_rgb(samples)
    return np.ascontiguousarray(rgb[:height, : message.width])


def image_fields(pixels: np.ndarray) -> dict[str, Any]:
    """Return the fields of the Image that holds `pixels`, except `header` and `data`.

    `pixels` are uint8 (H, W), uint16 (H, W) or uint8 (H, W, 3): mono8, mono16 or rgb8.
    """
    height, width = pixels.shape[:2]
    return {
        "height": height,
        "width": width,
        "encoding": _ARRAY_ENCODING[pixels.dtype.name, pixels.ndim],
        "is_bigendian": int(sys.byteorder == "big"),
        "step": pixels.dtype.itemsize * width * (pixels.shape[2] if pixels.ndim == 3 else 1),
    }


def rows_of(message: "Image", pixel_bytes: Mapping[str, int]) -> np.ndarray:
    """Return the bytes of each row without its padding, uint8 (H, width * bytes per pixel).

    `pixel_bytes` has the bytes per pixel of each accepted encoding. Raises `InputError` for any other, and
    for inconsistent sizes.
    """
    _check_encoding(message, pixel_bytes)
    row_bytes = message.width * pixel_bytes[message.encoding]
    return _rows(message, row_bytes=row_bytes, rows=message.height)[:, :row_bytes]


def _check_encoding(message: "Image", supported: Collection[str]) -> None:
    if message.encoding not in supported:
        raise InputError(
            f"unsupported image encoding {message.encoding[:40]!r}; supported: {', '.join(supported)}"
        )


def _rows(message: "Image", *, row_bytes: int, rows: int) -> np.ndarray:
    """Return the bytes of each row with its padding, uint8 (rows, step). Raises `InputError`."""
    size = f"{message.width} x {message.height} {message.encoding}"
    if not message.width or not message.height:
        raise InputError(f"empty image ({size})")
    if message.step < row_bytes:
        raise InputError(f"image step {message.step} is less than the {row_bytes} bytes of a row ({size})")
    expected = message.step * rows
    if len(message.data) != expected:
        count = "height" if rows == message.height else f"{rows} rows"
        raise InputError(f"image has {len(message.data)} bytes, not step x {count} = {expected} ({size})")
    return np.frombuffer(message.data, np.uint8).reshape(rows, message.step)


def _image_height(message: "Image", encoding: Encoding) -> int:
    """Return the height of the image, which is not that of a message that counts rows of chroma too."""
    height = int(message.height / (1 + encoding.chroma_rows))
    counts_chroma = len(message.data) == message.step * message.height == message.step * encoding.rows(height)
    return height if counts_chroma else message.height


def _samples(message: "Image", encoding: Encoding, *, rows: int) -> np.ndarray:
    """Return the samples, uint8 or uint16 (rows, columns, channels). Raises `InputError`."""
    row_bytes = encoding.row_bytes(message.width)
    data = _rows(message, row_bytes=row_bytes, rows=rows)
    if not encoding.chroma_rows:  # the padding of chroma may be twice as wide: the whole row is converted
        data = data[:, :row_bytes]
    if encoding.bits == 16:
        order = ">" if message.is_bigendian else "<"
        data = np.ascontiguousarray(data).view(f"{order}u2").astype(np.uint16, copy=False)
    return data.reshape(rows, -1, encoding.channels)


def _decompress(message: "CompressedImage", bit_depth: BitDepth) -> np.ndarray:
    _check_size(message)
    # Ignore the EXIF orientation: masks must lie on the pixels as the camera sent them.
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        samples = cv2.imdecode(np.frombuffer(message.data, np.uint8), flags)
    except cv2.error as error:
        raise InputError(f"cannot decode the compressed image: {one_line(error)}") from error
    if samples is None:
        raise InputError(f"cannot decode the compressed image: {_summary(message)}")
    if samples.dtype == np.uint16:
        samples = bit_depth.to_8_bits(samples)
    if samples.dtype != np.uint8:
        raise InputError(f"cannot show a compressed image of {samples.dtype} samples: {_summary(message)}")
    return ENCODINGS[_decompressed_encoding(message.format, samples)].to_rgb(samples)


def _decompressed_encoding(format_: str, samples: np.ndarray) -> str:
    """Return the encoding of 8-bit samples that OpenCV read.

    OpenCV takes every file to hold BGR; a camera that gave it RGB says so in the format. A mosaic is stored
    as a grey image.
    """
    named = _COMPRESSED_FORMAT.match(format_)
    raw, stored = (named["raw"], named["stored"]) if named else ("", "")
    if samples.ndim == 3:
        return "rgb8" if stored.startswith("rgb") else "bgr8"
    mosaic = raw.replace("16", "8")
    return mosaic if mosaic.startswith("bayer_") and mosaic in ENCODINGS else "mono8"


def _check_size(message: "CompressedImage") -> None:
    # OpenCV trusts damaged sizes: 69 bytes of PNG can cost it seconds and gigabytes.
    try:
        with PIL.Image.open(BytesIO(message.data)) as image:
            width, height = image.size
            image.verify()
    except Exception as error:  # Pillow's own types, and struct.error, SyntaxError and others of its parsers
        raise InputError(f"cannot decode the compressed image: {_summary(message)}") from error
    if width * height > MAX_PIXELS:
        raise InputError(f"cannot decode the compressed image: {width} x {height} is too large")


def _summary(message: "CompressedImage") -> str:
    return f"{len(message.data)} bytes, format {message.format[:40]!r}"
