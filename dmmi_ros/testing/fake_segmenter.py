"""Synthetic pictures with known answers; nothing in them is symmetric, so that flips and offsets show."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.result import Instance, Result, Roi, Status

COLOURS = {"red": (220, 20, 40), "green": (30, 190, 60), "blue": (10, 60, 230)}
HEIGHT, WIDTH = 61, 97

# (colour, top, left, height, width) of L shapes: a box without its upper right quarter
SHAPES = [("red", 4, 8, 14, 22), ("red", 33, 60, 20, 12), ("green", 38, 5, 17, 30)]


@dataclass(frozen=True)
class Scene:
    """`image` is uint8 RGB (H, W, 3); `masks` gives for each colour its objects, each bool (H, W)."""

    image: np.ndarray
    masks: dict[str, list[np.ndarray]]


def make_scene() -> Scene:
    ramp = np.linspace(60, 160, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    image = np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8)
    masks: dict[str, list[np.ndarray]] = {colour: [] for colour in COLOURS}
    for colour, top, left, height, width in SHAPES:
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[top : top + height, left : left + width] = True
        mask[top : top + height // 2, left + width // 2 : left + width] = False
        image[mask] = COLOURS[colour]
        masks[colour].append(mask)
    return Scene(image, masks)


class ColourSegmenter:
    """Stands in for a model: finds the objects of the colour that the text names, however it is worded.

    `presence` is 0.6 where there are any and 0.2 elsewhere. A little tolerance lets it see through JPEG.
    """

    presence_threshold = 0.5
    mask_threshold = 0.5
    min_area = 64
    engine = SimpleNamespace(name="stub", precision="exact", device="stub")

    def warm_up(self) -> None:
        self.batch([np.zeros((HEIGHT, WIDTH, 3), np.uint8)], ["warm"])

    def batch(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[Result]:
        return [self(image, text) for image, text in zip(images, texts, strict=True)]

    def __call__(self, image: np.ndarray, text: str) -> Result:
        if "explode" in text:
            raise InputError("the stub was told to explode")
        colour = next((name for name in COLOURS if name in text), None)
        foreground = np.zeros(image.shape[:2], bool)
        if colour:
            foreground = (np.abs(image.astype(int) - COLOURS[colour]) < 48).all(axis=2)
        instances = self._instances(foreground)
        presence = 0.6 if instances else 0.2
        if presence < self.presence_threshold:
            instances = ()
        mask = np.zeros_like(foreground)
        for instance in instances:
            instance.paste(mask, True)
        status = Status.of_count(len(instances))
        return Result(text, status, presence, self.presence_threshold, mask, instances, "colour")

    def _instances(self, foreground: np.ndarray) -> tuple[Instance, ...]:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(foreground.astype(np.uint8))
        found = []
        for label in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[label])
            if area >= self.min_area:
                mask = labels[y : y + height, x : x + width] == label
                found.append(Instance(len(found) + 1, 0.9, area, Roi(x, y, width, height), mask))
        return tuple(found)
