"""Drawn images with COCO annotations; `reader` understands the expressions that are generated for them.

Each category has a colour of its own, so that an expression can be checked against the pixels alone, after
any augmentation.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

COLOURS = {"dog": (210, 50, 50), "cat": (50, 200, 50), "cup": (50, 60, 220), "person": (200, 200, 40)}
PLURALS = {"dogs": "dog", "cats": "cat", "cups": "cup", "people": "person"}
CATEGORIES = list(COLOURS)
WIDTH, HEIGHT, CELL = 240, 180, 60
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")


def write_pictures(folder: Path, count: int, seed: int = 0) -> Path:
    """Write `count` PNG files and `instances.json`; return the path of the latter.

    In every five images, one has labels of cups and dogs only, one has persons of whom one has a mask, and
    one has a crowd of cups. The others are labelled in full.
    """
    rng = np.random.default_rng(seed)
    images, annotations = [], []
    for number in range(count):
        style = ("all80", "all80", "cup+dog", "one_person", "crowd")[number % 5]
        pixels = np.full((HEIGHT, WIDTH, 3), rng.integers(90, 130), np.uint8)
        image = {"id": number, "file_name": f"{number:06}.png", "width": WIDTH, "height": HEIGHT}
        if style in ("cup+dog", "one_person"):
            image["labelled"] = style
        boxes = _draw(pixels, style, rng)
        if style == "one_person":
            image["person_boxes"] = [list(box) for category, box in boxes if category == "person"]
            boxes = [item for item in boxes if item[0] == "person"][:1]
        elif style == "cup+dog":
            boxes = [item for item in boxes if item[0] in ("cup", "dog")]
        annotations += [
            _annotation(number, category, box, crowd=style == "crowd" and category == "cup")
            for category, box in boxes
        ]
        images.append(image)
        cv2.imwrite(str(folder / image["file_name"]), pixels[..., ::-1])
    path = folder / "instances.json"
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CATEGORIES)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def _draw(pixels: np.ndarray, style: str, rng: np.random.Generator) -> list[tuple[str, tuple]]:
    """Draw filled boxes in cells of a grid, so that none touch; return category and x, y, width, height."""
    boxes = []
    cells = rng.permutation((WIDTH // CELL) * (HEIGHT // CELL))[: rng.integers(2, 7)]
    kinds = rng.permutation(CATEGORIES)[: rng.integers(1, 3)]
    for index, cell in enumerate(cells.tolist()):
        category = str(kinds[rng.integers(len(kinds))])
        if index == 0 and style in ("one_person", "crowd"):
            category = "person" if style == "one_person" else "cup"
        width, height = (int(side) for side in rng.integers(14, CELL - 10, 2))
        left = cell % (WIDTH // CELL) * CELL + int(rng.integers(5, CELL - 4 - width))
        top = cell // (WIDTH // CELL) * CELL + int(rng.integers(5, CELL - 4 - height))
        pixels[top : top + height, left : left + width] = COLOURS[category]
        boxes.append((category, (left, top, width, height)))
    return boxes


def _annotation(image: int, category: str, box: tuple, *, crowd: bool) -> dict:
    x, y, width, height = box
    polygon = [x, y, x + width, y, x + width, y + height, x, y + height]
    return {
        "image_id": image,
        "category_id": CATEGORIES.index(category) + 1,
        "bbox": list(box),
        "segmentation": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]} if crowd else [polygon],
        "iscrowd": int(crowd),
    }


@dataclass(frozen=True)
class Seen:
    """An object as seen by its pixels."""

    mask: np.ndarray
    box: tuple[float, float, float, float]
    """Left, top, right, bottom, as fractions of the image."""
    area: int

    @property
    def x(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    @property
    def y(self) -> float:
        return (self.box[1] + self.box[3]) / 2


def look(image: np.ndarray) -> dict[str, list[Seen]]:
    """Return the objects of each category, found by colour alone."""
    red, green, blue = np.moveaxis(image.astype(int), 2, 0)
    threshold = 40
    masks = {
        "dog": red - np.maximum(green, blue) > threshold,
        "cat": green - np.maximum(red, blue) > threshold,
        "cup": blue - np.maximum(red, green) > threshold,
        "person": (np.minimum(red, green) - blue > threshold) & (abs(red - green) < 25),
    }
    return {category: separate(mask) for category, mask in masks.items()}


def separate(mask: np.ndarray) -> list[Seen]:
    """Return the connected components of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    found = []
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        sides = np.array([left, top, left + width, top + height]) / np.tile(mask.shape[::-1], 2)
        found.append(Seen(labels == label, tuple(sides.tolist()), int(area)))
    return found
