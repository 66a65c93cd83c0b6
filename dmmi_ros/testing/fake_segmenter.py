"""A synthetic scene and a stand-in for the model; nothing is symmetric, so that flips and offsets show."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.result import Instance, Result, Roi, Status
from dmmi_core.segmenter_options import Options

COLOURS = {"red": (220, 20, 40), "green": (30, 190, 60), "blue": (10, 60, 230)}
HEIGHT, WIDTH = 61, 97

SHAPES = [("red", 4, 8, 14, 22), ("red", 33, 60, 20, 12), ("green", 38, 5, 17, 30)]
"""Colour, top, left, height, width of L shapes: boxes without their upper right quarter."""


@dataclass(frozen=True)
class Scene:
    """An image, uint8 RGB (H, W, 3), and the masks of its objects by colour, each bool (H, W)."""

    image: np.ndarray
    masks: dict[str, list[np.ndarray]]


def make_scene() -> Scene:
    """Return the L shapes of `SHAPES` on a grey ramp."""
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
    """A stand-in for `Segmenter` that finds the objects of the colour that the text names.

    `presence` is 0.6 if there are any, else 0.2. Colours have a tolerance, for images compressed as JPEG. A
    text with the word "explode" raises `InputError`.
    """

    engine = SimpleNamespace(name="stub", precision="exact", device="stub")

    def warm_up(self) -> None:
        """Segment an empty image."""
        self.batch([np.zeros((HEIGHT, WIDTH, 3), np.uint8)], ["warm"])

    def batch(
        self, images: Sequence[np.ndarray], texts: Sequence[str], options: Options | None = None
    ) -> list[Result]:
        """Return a result for each pair of image and text."""
        return [self(image, text, options) for image, text in zip(images, texts, strict=True)]

    def __call__(self, image: np.ndarray, text: str, options: Options | None = None) -> Result:
        """Return the result for an image, uint8 RGB (H, W, 3), and a text."""
        options = options or Options()
        threshold = 0.5 if options.presence_threshold is None else options.presence_threshold
        if "explode" in text:
            raise InputError("the stub was told to explode")
        colour = next((name for name in COLOURS if name in text), None)
        foreground: np.ndarray = np.zeros(image.shape[:2], bool)
        if colour:
            foreground = np.all(np.abs(image.astype(int) - COLOURS[colour]) < 48, axis=2)
        instances = self._instances(foreground, options.min_area)
        presence = 0.6 if instances else 0.2
        if presence < threshold:
            instances = ()
        mask = np.zeros_like(foreground)
        for instance in instances:
            instance.paste(mask, True)
        status = Status.of_count(len(instances))
        return Result(text, status, presence, threshold, mask, instances, "colour")

    def _instances(self, foreground: np.ndarray, min_area: int) -> tuple[Instance, ...]:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(foreground.astype(np.uint8))
        found: list[Instance] = []
        for label in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[label])
            if area >= min_area:
                mask = labels[y : y + height, x : x + width] == label
                found.append(Instance(len(found) + 1, 0.9, area, Roi(x, y, width, height), mask))
        return tuple(found)
