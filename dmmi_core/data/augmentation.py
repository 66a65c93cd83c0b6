"""How a photograph is looked at: affine views of it, and colour jitter."""

import cv2
import numpy as np

from dmmi_core.data.scenes import Scene


def whole_view(scene: Scene, size: int) -> np.ndarray:
    """Affine map (2, 3) of the whole photograph onto a size x size view."""
    return np.array([[size / scene.width, 0, 0], [0, size / scene.height, 0]])


def random_view(scene: Scene, size: int, rng: np.random.Generator) -> np.ndarray:
    """Affine map (2, 3) of a random crop (each side 60-100 %) onto the view, mirrored half of the time."""
    width, height = scene.width * rng.uniform(0.6, 1), scene.height * rng.uniform(0.6, 1)
    left, top = rng.uniform(0, scene.width - width), rng.uniform(0, scene.height - height)
    x, y = size / width, size / height
    matrix = np.array([[x, 0, -left * x], [0, y, -top * y]])
    if rng.random() < 0.5:
        matrix[0] = [-x, 0, size + left * x]
    return matrix


def warp(photograph: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """uint8 RGB (H, W, 3) through an affine map, (size, size, 3)."""
    return cv2.warpAffine(
        photograph, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and saturation changed by up to 25 %, for uint8 RGB (H, W, 3)."""
    brightness, contrast, saturation = rng.uniform(0.75, 1.25, 3)
    pixels = image.astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + saturation * (pixels - grey)
    pixels = brightness * (contrast * (pixels - grey.mean()) + grey.mean())
    return np.clip(pixels, 0, 255).astype(np.uint8)
