"""Photographs and masks at the size of the network: a square, whatever their shape."""

import cv2
import numpy as np


def resize(image: np.ndarray, side: int, antialias: bool) -> np.ndarray:
    """uint8 RGB (H, W, 3) to (side, side, 3); with `antialias` as Pillow does it (`DmmiConfig.antialias`)."""
    if antialias:
        return _resize_as_pillow(image, side)
    shrinks = min(image.shape[:2]) > side
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def resize_mask(mask: np.ndarray, side: int) -> np.ndarray:
    """bool (H, W) to (side, side): each pixel is the nearest one, as in Pillow."""
    return resize_labels(mask.astype(np.uint8), side).astype(bool)


def resize_labels(labels: np.ndarray, side: int) -> np.ndarray:
    """The same of uint8."""
    return cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)


def _resize_as_pillow(image: np.ndarray, side: int) -> np.ndarray:
    import torch  # which takes seconds to import, and is needed for this alone
    from torch.nn.functional import interpolate

    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    resized = interpolate(pixels, (side, side), mode="bilinear", antialias=True)
    return resized[0].permute(1, 2, 0).numpy()
