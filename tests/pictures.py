"""Drawn photographs with COCO annotations, and a reader of the expressions that are made for them.

Each category has a colour of its own, so that what an expression says can be checked against the pixels of a
picture alone, after any augmentation.
"""

import json
import re
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
    """`count` PNG files and `instances.json`, whose path is returned.

    Of five pictures one has its cups and dogs labelled only, one has persons of whom one has a mask, and one
    has a crowd of cups. The others are labelled in full.
    """
    rng = np.random.default_rng(seed)
    images, annotations = [], []
    for number in range(count):
        style = ("all80", "all80", "cup+dog", "one_person", "crowd")[number % 5]
        picture = np.full((HEIGHT, WIDTH, 3), rng.integers(90, 130), np.uint8)
        image = {"id": number, "file_name": f"{number:06}.png", "width": WIDTH, "height": HEIGHT}
        if style in ("cup+dog", "one_person"):
            image["labelled"] = style
        boxes = _draw(picture, style, rng)
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
        cv2.imwrite(str(folder / image["file_name"]), picture[..., ::-1])
    path = folder / "instances.json"
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CATEGORIES)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def _draw(picture: np.ndarray, style: str, rng: np.random.Generator) -> list[tuple[str, tuple]]:
    """Filled boxes in cells of a grid, so that none touch: category and x, y, width, height of each."""
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
        picture[top : top + height, left : left + width] = COLOURS[category]
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
    """An object as its pixels show it."""

    mask: np.ndarray
    x: float
    """Middle of its box, as a fraction of the picture."""
    area: int


def look(image: np.ndarray) -> dict[str, list[Seen]]:
    """The objects of each category, by colour alone."""
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
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    found = []
    for label in range(1, count):
        left, _, width, _, area = stats[label]
        found.append(Seen(labels == label, (left + width / 2) / mask.shape[1], int(area)))
    return found


def understand(text: str, seen: dict[str, list[Seen]]) -> list[Seen]:
    """The objects that `text` refers to; raises AssertionError where it does not fit what is seen."""
    text = re.sub(r"^(find|show me|point at|segment|look at|select) ", "", text)
    return [item for part in text.split(" and ") for item in _understand(part, seen)]


def _understand(phrase: str, seen: dict[str, list[Seen]]) -> list[Seen]:
    words = phrase.split()
    (noun,) = [word for word in words if word in COLOURS or word in PLURALS]
    members = sorted(seen[PLURALS.get(noun, noun)], key=lambda item: item.x)
    if not members:
        return []
    count = next((NUMBERS.index(word) for word in words if word in NUMBERS), None)
    side = next((s for s in ("left", "right") if s in words or f"{s}most" in words), None)
    if side is None and not {"middle", "biggest", "largest", "smallest"} & set(words):
        many = noun in PLURALS or "every" in words
        assert (len(members) > 1) == many, f"{len(members)} are {phrase!r}"
        assert count in (None, len(members)), f"{len(members)} are {phrase!r}"
        return members
    if "middle" in words:
        assert len(members) == 3
        return members[1:2]
    if side is None:
        by_area = sorted(members, key=lambda item: item.area)
        assert len(members) > 1
        small, next_one = (by_area[0], by_area[1]) if "smallest" in words else (by_area[-2], by_area[-1])
        assert next_one.area > 1.3 * small.area, f"nearly equal sizes are {phrase!r}"
        return by_area[:1] if "smallest" in words else by_area[-1:]
    there = [item for item in members if (item.x < 0.5) == (side == "left")]
    assert there, f"nothing is {phrase!r}"
    if noun in PLURALS:
        assert len(there) > 1 and count in (None, len(there)), f"{len(there)} are {phrase!r}"
        assert len(there) < len(members), f"{phrase!r} is said, but all are there"
        return there
    order = members if side == "left" else members[::-1]
    assert len(order) == 1 or abs(order[0].x - order[1].x) > 0.05, f"side by side are {phrase!r}"
    return order[:1]


def assert_true(text: str, image: np.ndarray, mask: np.ndarray) -> None:
    """That `mask` is what `text` says about `image`, and as honest about number and place."""
    seen = look(image)
    meant = understand(text, seen)
    for item in (item for members in seen.values() for item in members):
        covered = mask[item.mask].mean()
        expected = any(item is other for other in meant)
        assert covered > 0.75 if expected else covered < 0.25, (
            f"{text!r}: {covered:.0%} of an object is covered"
        )
    near = cv2.dilate(
        sum((item.mask.astype(np.uint8) for item in meant), np.zeros(mask.shape, np.uint8)), np.ones((7, 7))
    )
    assert not (mask & (near == 0)).any(), f"{text!r}: the mask is more than its objects"
