"""Augmentation: affine views of an image, colour jitter, blur and noise."""

import cv2
import numpy as np

from dmmi_core.data.synthesis.affine_view import Window
from dmmi_core.data.synthesis.scenes import Scene


def whole_view(scene: Scene, size: int) -> np.ndarray:
    """Return the affine map (2, 3) of the whole image onto a size x size view."""
    return np.array([[size / scene.width, 0, 0], [0, size / scene.height, 0]])


def random_view(
    scene: Scene, size: int, rng: np.random.Generator, window: Window | None = None
) -> np.ndarray:
    """Return an affine map (2, 3) of a random crop (each side 60-100 %), mirrored half of the time.

    `window` is the part of the view to fill, default all of it. The shape of the crop then is closer to the
    shape of the window.
    """
    left, top, right, bottom = window or (0, 0, size, size)
    width, height = scene.width * rng.uniform(0.6, 1), scene.height * rng.uniform(0.6, 1)
    if window:
        width, height = _shaped(width, height, (right - left) / (bottom - top))
    x0, y0 = rng.uniform(0, scene.width - width), rng.uniform(0, scene.height - height)
    x, y = (right - left) / width, (bottom - top) / height
    matrix = np.array([[x, 0, left - x0 * x], [0, y, top - y0 * y]])
    if rng.random() < 0.5:
        matrix[0] = [-x, 0, right + x0 * x]
    return matrix


def _shaped(width: float, height: float, shape: float) -> tuple[float, float]:
    """Shrink width or height so that their ratio is `shape`, give or take a third."""
    return min(width, 1.33 * shape * height), min(height, 1.33 * width / shape)


def warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Warp an image, uint8 RGB (H, W, 3), by an affine map (2, 3) to (size, size, 3)."""
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and saturation by up to 25 %, but no hue, of uint8 RGB (H, W, 3)."""
    brightness, contrast, saturation = rng.uniform(0.75, 1.25, 3)
    pixels = image.astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + saturation * (pixels - grey)
    pixels = brightness * (contrast * (pixels - grey.mean()) + grey.mean())
    return np.clip(pixels, 0, 255).astype(np.uint8)


def degrade(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur the image, or add noise, each with a probability of 10 %, as a real camera would."""
    if rng.random() < 0.1:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.1:
        noise = rng.normal(0, rng.uniform(2, 8), image.shape).astype(np.float32)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image
