"""Training targets: labels, boxes, and the pixels of unknown label."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN = 255
MAX_OBJECTS = 254
"""Most objects that a target tells apart."""


@dataclass(frozen=True)
class Target:
    """The objects that a text refers to, in the square image that the network sees."""

    labels: np.ndarray
    """uint8 (S, S): 0 for background, 1 to K for the n-th object, and UNKNOWN inside the box of an object
    without a mask, except where an object with a mask is."""
    boxes: np.ndarray
    """float32 (K, 4): left, top, right, bottom of each object's visible box, as fractions of the square."""
    has_mask: np.ndarray
    """bool (K,)."""


def make_target(
    masks: Sequence[np.ndarray | None],
    boxes: Sequence[tuple[float, float, float, float]],
    shape: tuple[int, int],
    others: Sequence[np.ndarray] = (),
) -> Target:
    """Return the target of objects with masks, bool of `shape`, or None, and boxes.

    Only the first MAX_OBJECTS count. Where masks overlap, the smaller object wins: it is in front more often.
    `others` are masks of objects that the text certainly does not mean.
    """
    masks = masks[:MAX_OBJECTS]
    corners = np.array(boxes[:MAX_OBJECTS], np.float32).reshape(-1, 4)
    labels = np.zeros(shape, np.uint8)
    for mask, box in zip(masks, corners, strict=True):
        if mask is None:
            labels[_inside(box, shape)] = UNKNOWN
    for other in others:
        labels[other] = 0
    known = [(number, mask) for number, mask in enumerate(masks, start=1) if mask is not None]
    for number, mask in sorted(known, key=lambda pair: np.count_nonzero(pair[1]), reverse=True):
        labels[mask] = number
    return Target(labels, corners, np.array([mask is not None for mask in masks], bool))


def _inside(box: np.ndarray, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns that a box touches."""
    height, width = shape
    left, top, right, bottom = box
    return (
        slice(int(np.floor(top * height)), int(np.ceil(bottom * height))),
        slice(int(np.floor(left * width)), int(np.ceil(right * width))),
    )
