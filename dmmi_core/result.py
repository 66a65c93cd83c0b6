"""The value types of a result. They need neither PyTorch nor ROS."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """How many instances the expression refers to; the numbers are those of `dmmi/Segmentation`."""

    NO_TARGET = 0
    ONE = 1
    MANY = 2

    @classmethod
    def of_count(cls, count: int) -> "Status":
        """Return the status of a result with `count` instances."""
        return cls(min(count, cls.MANY))


@dataclass(frozen=True)
class Roi:
    """A box in pixels of the image; `x`, `y` is its top left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns of the box: `image[roi.slices]` is its part of an image."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True)
class Instance:
    """One of the objects an expression refers to.

    `mask` is bool (roi.height, roi.width): the object inside its `roi`.
    `score` is its mean foreground probability in [0, 1], `area` its number of pixels.
    """

    id: int
    score: float
    area: int
    roi: Roi
    mask: np.ndarray

    def paste(self, canvas: np.ndarray, value: int | bool) -> None:
        """Set the pixels of the instance in `canvas` (H, W), as large as the image, to `value`."""
        canvas[self.roi.slices][self.mask] = value

    def iou(self, other: "Instance") -> float:
        """Return the intersection over union with the mask of an instance in an image of the same size."""
        left, top = max(self.roi.x, other.roi.x), max(self.roi.y, other.roi.y)
        right = min(self.roi.x + self.roi.width, other.roi.x + other.roi.width)
        bottom = min(self.roi.y + self.roi.height, other.roi.y + other.roi.height)
        if left >= right or top >= bottom:  # the boxes do not overlap
            return 0.0
        crops = [
            item.mask[top - item.roi.y : bottom - item.roi.y, left - item.roi.x : right - item.roi.x]
            for item in (self, other)
        ]
        intersection = int(np.count_nonzero(crops[0] & crops[1]))
        return intersection / (self.area + other.area - intersection)


@dataclass(frozen=True)
class Result:
    """The result for one image and one text.

    `mask` is bool (H, W) at the image's own size, the union of `instances`; all False if `status`
    is NO_TARGET. `presence` in [0, 1] is the probability that the image holds any target.
    `grouping` names how foreground became instances. `foreground`, bool (H, W), has the pixels above the mask
    threshold before that, so also groups that were too small or too uncertain; all False if presence rejects
    the text, and None if only the instances are known, as in a message. `timing_ms` has the milliseconds of
    each step.
    """

    text: str
    status: Status
    presence: float
    presence_threshold: float
    mask: np.ndarray
    instances: tuple[Instance, ...]
    grouping: str
    foreground: np.ndarray | None = None
    timing_ms: dict[str, float] = field(default_factory=dict)
