"""The supported encodings of raw images: how their samples lie in memory, and how they become RGB.

Names and layouts are those of sensor_msgs/image_encodings. Generic types (8UC3) hold what cv_bridge takes
them for: grey, BGR or BGRA.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np


@dataclass(frozen=True)
class Encoding:
    """Describes an encoding.

    `to_rgb` converts its samples, uint8 (rows, columns, channels), to uint8 RGB; those of 16 `bits` are
    brought to 8 before. A planar encoding has one channel, Y, and rows of chroma below those of the image,
    `chroma_rows` for each. Neighbouring pixels may be `paired`, as they share chroma.
    """

    to_rgb: Callable[[np.ndarray], np.ndarray]
    channels: int = 1
    bits: int = 8
    paired: bool = False
    chroma_rows: float = 0.0

    def row_bytes(self, width: int) -> int:
        """Return the bytes of a row of `width` pixels without padding."""
        return (width + width % 2 if self.paired else width) * self.channels * self.bits // 8

    def rows(self, height: int) -> int:
        """Return the number of rows in memory, with those of chroma, of an image of `height`."""
        return height + math.ceil(self.chroma_rows * height)


def _convert(samples: np.ndarray, code: int) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(samples), code)


def _nv12(samples: np.ndarray, code: int) -> np.ndarray:
    """Convert rows of Y, then of U and V in turn at half the resolution."""
    height, width = 2 * len(samples) // 3, samples.shape[1] // 2 * 2
    rows = np.arange(len(samples))
    if height % 2:  # OpenCV wants an even height: repeat the last row of the image
        rows = np.insert(rows, height, height - 1)
    return _convert(samples[rows, :width], code)


def _nv24(samples: np.ndarray) -> np.ndarray:
    """Convert rows of Y, then of U and V in turn at full resolution."""
    height, width = len(samples) // 3, samples.shape[1]
    luma = samples[:height, :, 0]
    u, v = np.moveaxis(samples[height:].reshape(height, width, 2), 2, 0)
    # OpenCV has no code for it, but for YUYV, in which two pixels share U and V: take each pixel twice.
    doubled = np.stack([luma, u, luma, v], axis=2).reshape(height, 2 * width, 2)
    return cv2.cvtColor(doubled, cv2.COLOR_YUV2RGB_YUYV)[:, ::2]


def _by(code: int) -> Callable[[np.ndarray], np.ndarray]:
    return partial(_convert, code=code)


_GREY = Encoding(_by(cv2.COLOR_GRAY2RGB))
_BGR = Encoding(_by(cv2.COLOR_BGR2RGB), channels=3)
_BGRA = Encoding(_by(cv2.COLOR_BGRA2RGB), channels=4)
_UYVY = Encoding(_by(cv2.COLOR_YUV2RGB_UYVY), channels=2, paired=True)
_YUYV = Encoding(_by(cv2.COLOR_YUV2RGB_YUYV), channels=2, paired=True)

_OF_8_BITS = {
    "rgb8": Encoding(np.asarray, channels=3),
    "bgr8": _BGR,
    "rgba8": Encoding(_by(cv2.COLOR_RGBA2RGB), channels=4),
    "bgra8": _BGRA,
    "mono8": _GREY,
    "8UC1": _GREY,
    "8UC3": _BGR,
    "8UC4": _BGRA,
    # OpenCV names the second and third pixel of the second row.
    "bayer_rggb8": Encoding(_by(cv2.COLOR_BayerBG2RGB)),
    "bayer_bggr8": Encoding(_by(cv2.COLOR_BayerRG2RGB)),
    "bayer_gbrg8": Encoding(_by(cv2.COLOR_BayerGR2RGB)),
    "bayer_grbg8": Encoding(_by(cv2.COLOR_BayerGB2RGB)),
}
_OF_16_BITS = {
    name.replace("8", "16"): Encoding(encoding.to_rgb, encoding.channels, bits=16)
    for name, encoding in _OF_8_BITS.items()
}
ENCODINGS = {
    **_OF_8_BITS,
    **_OF_16_BITS,
    "uyvy": _UYVY,
    "yuv422": _UYVY,
    "yuyv": _YUYV,
    "yuv422_yuy2": _YUYV,
    "nv12": Encoding(partial(_nv12, code=cv2.COLOR_YUV2RGB_NV12), paired=True, chroma_rows=0.5),
    "nv21": Encoding(partial(_nv12, code=cv2.COLOR_YUV2RGB_NV21), paired=True, chroma_rows=0.5),
    "nv24": Encoding(_nv24, chroma_rows=2.0),
}
"""The supported encodings by name."""
