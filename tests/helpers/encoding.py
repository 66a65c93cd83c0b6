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
WIDE_COLOUR = ("rgb16", "bgr16", "16UC3", "rgba16", "bgra16", "16UC4")
GREY, WIDE_GREY = ("mono8", "8UC1"), ("mono16", "16UC1")
MOSAIC = tuple(f"bayer_{pattern}{depth}" for depth in (8, 16) for pattern in BAYER)
WIDE = (*WIDE_GREY, *WIDE_COLOUR, *(encoding for encoding in MOSAIC if encoding.endswith("16")))
YUV = ("uyvy", "yuv422", "yuyv", "yuv422_yuy2")
PLANAR = ("nv12", "nv21", "nv24")
ALL = (*COLOUR, *WIDE_COLOUR, *GREY, *WIDE_GREY, *MOSAIC, *YUV, *PLANAR)


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
    if encoding in YUV:
        uyvy = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_UYVY)
        return uyvy if encoding in ("uyvy", "yuv422") else uyvy[..., ::-1]
    if encoding in (*COLOUR, *WIDE_COLOUR):
        samples = _in_colour(rgb, encoding)
    elif encoding in MOSAIC:
        samples = _mosaic(rgb, encoding[6:10])
    else:
        samples = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    # Lower and upper bytes differ, so that swapping them shows.
    return samples.astype(np.uint16) * 256 + (255 - samples) if encoding in WIDE else samples


def _in_colour(rgb: np.ndarray, encoding: str) -> np.ndarray:
    channels = rgb if encoding.startswith("rgb") else rgb[..., ::-1]
    if encoding.startswith(("rgba", "bgra")) or encoding.endswith("C4"):
        return np.concatenate([channels, np.full((*rgb.shape[:2], 1), 7, np.uint8)], axis=2)
    return channels


def _mosaic(rgb: np.ndarray, pattern: str) -> np.ndarray:
    """Return for each pixel the channel that its colour filter lets through."""
    mosaic = np.empty(rgb.shape[:2], np.uint8)
    for place, channel in enumerate(BAYER[pattern]):
        row, column = divmod(place, 2)
        mosaic[row::2, column::2] = rgb[row::2, column::2, channel]
    return mosaic


def planar_message(rgb: np.ndarray, encoding: str, *, padding: int = 0) -> Image:
    """Return `rgb`, uint8 (H, W, 3), as nv12, nv21 or nv24: rows of luma, then of pairs of U and V.

    nv12 and nv21 have one pair for each 2 x 2 pixels, that of the upper left one, nv24 one for each pixel.
    """
    height, width = rgb.shape[:2]
    red, green, blue = np.moveaxis(rgb.astype(float), 2, 0)  # BT.601
    luma = 16 + (65.738 * red + 129.057 * green + 25.064 * blue) / 256
    u = 128 + (-37.945 * red - 74.494 * green + 112.439 * blue) / 256
    v = 128 + (112.439 * red - 94.154 * green - 18.285 * blue) / 256
    share = 1 if encoding == "nv24" else 2
    pairs = np.stack([v, u] if encoding == "nv21" else [u, v], axis=2)[::share, ::share]
    step = width + (width % 2 if share == 2 else 0) + padding
    chroma = pairs.reshape(len(pairs), -1)
    chroma = np.pad(chroma, ((0, 0), (0, step * 2 // share - chroma.shape[1])), constant_values=99)
    luma = np.pad(luma, ((0, 0), (0, step - width)), constant_values=99)
    data = np.concatenate([luma.reshape(-1), chroma.reshape(-1)]).round().astype(np.uint8)
    message = Image(encoding=encoding, height=height, width=width, step=step)
    message.data = array("B", data.tobytes())
    return message
