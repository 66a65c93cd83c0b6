"""What a segmentation returns: value types only, so that nothing here needs PyTorch or ROS."""

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
        return cls(min(count, cls.MANY))


@dataclass(frozen=True)
class Roi:
    """A box in pixels of the image; `x`, `y` is its top left corner."""

    x: int
    y: int
    width: int
    height: int


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


@dataclass(frozen=True)
class Result:
    """The answer for one image and one text.

    `mask` is bool (H, W) at the image's own size, the union of `instances`; all False when `status`
    is NO_TARGET. `presence` in [0, 1] is the probability that the image holds any target.
    `grouping` names how foreground became instances. `timing_ms` has the milliseconds of each step.
    """

    text: str
    status: Status
    presence: float
    presence_threshold: float
    mask: np.ndarray
    instances: tuple[Instance, ...]
    grouping: str
    timing_ms: dict[str, float] = field(default_factory=dict)
