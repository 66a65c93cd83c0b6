"""The images of the demonstration, from the scikit-image package, and the commands for them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage

IMAGES = Path(skimage.__file__).parent / "data"
LEAST_HEIGHT, LEAST_WIDTH = 480, 640
BAR = 64  # objects that touch would become one


@dataclass(frozen=True)
class DemoScene:
    """An image, uint8 RGB (H, W, 3) of at least 480 x 640, and the commands to give while it is shown."""

    name: str
    image: np.ndarray
    commands: tuple[str, ...]


def make_scenes() -> list[DemoScene]:
    cat, person, motorcycle = map(read_example, ("chelsea.png", "astronaut.png", "motorcycle_left.png"))
    two_cats = side_by_side(cell(cat, 480, 480), cell(cat[:, ::-1], 480, 480))
    pair = side_by_side(cell(person, 480, 480), cell(cat, 480, 480))
    return [
        DemoScene("cat", enlarged(cat), ("the cat", "the car")),
        DemoScene("astronaut", enlarged(person), ("the person", "the elephant")),
        DemoScene("motorcycle", enlarged(motorcycle), ("the motorcycle", "the elephant")),
        DemoScene("two cats", two_cats, ("the two cats", "the cat on the left", "the bus")),
        DemoScene("pair", pair, ("the cat on the right", "the bus")),
    ]


def read_example(name: str) -> np.ndarray:
    """Read an image of scikit-image, uint8 RGB (H, W, 3)."""
    return cv2.cvtColor(cv2.imread(str(IMAGES / name)), cv2.COLOR_BGR2RGB)


def enlarged(image: np.ndarray) -> np.ndarray:
    """Enlarge an image, if needed, to the size of a camera's, and keep its proportions."""
    scale = max(1.0, LEAST_HEIGHT / image.shape[0], LEAST_WIDTH / image.shape[1])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def cell(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize and crop an image to a cell: its middle, or closer to its top than to its bottom."""
    scale = max(height / image.shape[0], width / image.shape[1])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (image.shape[0] - height) // 4, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Join two images of equal height, with a white bar between them."""
    bar = np.full((left.shape[0], BAR, 3), 255, np.uint8)
    return np.concatenate([left, bar, right], axis=1)
