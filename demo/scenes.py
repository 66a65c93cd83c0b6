"""What the demonstration shows: photographs inside the scikit-image package, and what is asked of them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
LEAST_HEIGHT, LEAST_WIDTH = 480, 640
BAR = 64  # as objects that touch come out as one


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 RGB (H, W, 3) of at least 480 x 640, and the commands to give while it is seen."""

    name: str
    image: np.ndarray
    commands: tuple[str, ...]


def make_scenes() -> list[Scene]:
    cat, person, motorcycle = map(photograph, ("chelsea.png", "astronaut.png", "motorcycle_left.png"))
    two_cats = side_by_side(cell(cat, 480, 480), cell(cat[:, ::-1], 480, 480))
    pair = side_by_side(cell(person, 480, 480), cell(cat, 480, 480))
    return [
        Scene("cat", enlarged(cat), ("the cat", "the car")),
        Scene("astronaut", enlarged(person), ("the person", "the elephant")),
        Scene("motorcycle", enlarged(motorcycle), ("the motorcycle", "the elephant")),
        Scene("two cats", two_cats, ("the two cats", "the cat on the left", "the bus")),
        Scene("pair", pair, ("the cat on the right", "the bus")),
    ]


def photograph(name: str) -> np.ndarray:
    """uint8 RGB (H, W, 3)."""
    return cv2.cvtColor(cv2.imread(str(PHOTOGRAPHS / name)), cv2.COLOR_BGR2RGB)


def enlarged(image: np.ndarray) -> np.ndarray:
    """The whole picture, in its own proportions, at least as large as a camera's."""
    scale = max(1.0, LEAST_HEIGHT / image.shape[0], LEAST_WIDTH / image.shape[1])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def cell(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """What fills a cell of this size: the middle of the picture, rather its upper part than its lower."""
    scale = max(height / image.shape[0], width / image.shape[1])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (image.shape[0] - height) // 4, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Both, which are equally high, and a white bar between them."""
    bar = np.full((left.shape[0], BAR, 3), 255, np.uint8)
    return np.concatenate([left, bar, right], axis=1)
