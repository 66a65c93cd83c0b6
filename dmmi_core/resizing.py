"""Resizing of images and masks to the square input of the network, whatever their aspect ratio."""

import cv2
import numpy as np


def resize(image: np.ndarray, side: int, antialias: bool) -> np.ndarray:
    """Resize an image, uint8 RGB (H, W, 3), to (side, side, 3); see `DmmiConfig.antialias`."""
    if antialias:
        return _resize_as_pillow(image, side)
    shrinks = min(image.shape[:2]) > side
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def resize_mask(mask: np.ndarray, side: int) -> np.ndarray:
    """Resize a mask, bool (H, W), to (side, side) with the nearest pixels, as Pillow does."""
    return resize_labels(mask.astype(np.uint8), side).astype(bool)


def resize_labels(labels: np.ndarray, side: int) -> np.ndarray:
    """Resize a label image, uint8 (H, W), to (side, side) with the nearest pixels, as Pillow does."""
    return cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)


def _resize_as_pillow(image: np.ndarray, side: int) -> np.ndarray:
    import torch  # here, as its import takes seconds and nothing else needs it
    from torch.nn.functional import interpolate

    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    resized = interpolate(pixels, (side, side), mode="bilinear", antialias=True)
    return resized[0].permute(1, 2, 0).numpy()
