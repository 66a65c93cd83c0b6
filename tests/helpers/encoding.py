"""Images in every encoding that cameras send."""

from array import array

import cv2
import numpy as np
from sensor_msgs.msg import Image

BAYER = {  # channels (RGB) of the four pixels of a cell
    "rggb": (0, 1, 1, 2),
    "bggr": (2, 1, 1, 0),
    "gbrg": (1, 2, 0, 1),
    "grbg": (1, 0, 2, 1),
}
COLOUR = ("rgb8", "bgr8", "8UC3", "rgba8", "bgra8", "8UC4")
GREY, WIDE_GREY = ("mono8", "8UC1"), ("mono16", "16UC1")
MOSAIC = tuple(f"bayer_{pattern}{depth}" for depth in (8, 16) for pattern in BAYER)
WIDE = (*WIDE_GREY, *(encoding for encoding in MOSAIC if encoding.endswith("16")))
YUV = ("uyvy", "yuv422", "yuyv", "yuv422_yuy2")
ALL = (*COLOUR, *GREY, *WIDE_GREY, *MOSAIC, *YUV)


def message_of(pixels: np.ndarray, encoding: str, *, padding: int = 0, big_endian: bool = False) -> Image:
    """Return `pixels`, uint8 or uint16 (H, W[, C]), as a camera would send them."""
    height, width = pixels.shape[:2]
    pixels = pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.frombuffer(pixels.tobytes(), np.uint8).reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    message = Image(encoding=encoding, height=height, width=width, step=rows.shape[1])
    message.is_bigendian = int(big_endian)
    message.data = array("B", rows.tobytes())
    return message


def encoded(rgb: np.ndarray, encoding: str) -> np.ndarray:
    """Return `rgb`, uint8 (H, W, 3) with even sides, in `encoding`: uint8 or uint16 (H, W[, C])."""
    if encoding in COLOUR:
        return _in_colour(rgb, encoding)
    if encoding in YUV:
        uyvy = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_UYVY)
        return uyvy if encoding in ("uyvy", "yuv422") else uyvy[..., ::-1]
    grey = _mosaic(rgb, encoding[6:10]) if encoding in MOSAIC else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    # Lower and upper bytes differ, so that swapping them shows.
    return grey.astype(np.uint16) * 256 + (255 - grey) if encoding in WIDE else grey


def _in_colour(rgb: np.ndarray, encoding: str) -> np.ndarray:
    channels = rgb if encoding.startswith("rgb") else rgb[..., ::-1]
    if encoding in ("rgba8", "bgra8", "8UC4"):
        return np.concatenate([channels, np.full((*rgb.shape[:2], 1), 7, np.uint8)], axis=2)
    return channels


def _mosaic(rgb: np.ndarray, pattern: str) -> np.ndarray:
    """Return for each pixel the channel that its colour filter lets through."""
    mosaic = np.empty(rgb.shape[:2], np.uint8)
    for place, channel in enumerate(BAYER[pattern]):
        row, column = divmod(place, 2)
        mosaic[row::2, column::2] = rgb[row::2, column::2, channel]
    return mosaic
