"""The training target of a text: labels, boxes, and where nothing is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN = 255
MOST = 254
"""Objects that a target tells apart."""


@dataclass(frozen=True)
class Target:
    """The objects that a text refers to, in the square that the network sees."""

    labels: np.ndarray
    """uint8 (S, S): 0 background, n where the n-th object is (1 to K), UNKNOWN where an object without a mask
    may be: inside its box, where no object with a mask is."""
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
    """From each object's mask, bool of `shape`, or None, and its box; of more than MOST, the first ones.

    Where masks overlap the smaller object is, as it is in front more often. `others` are masks of what is
    surely none of the objects.
    """
    masks = masks[:MOST]
    boxes = np.array(boxes[:MOST], np.float32).reshape(-1, 4)
    labels = np.zeros(shape, np.uint8)
    for mask, box in zip(masks, boxes, strict=True):
        if mask is None:
            labels[_inside(box, shape)] = UNKNOWN
    for mask in others:
        labels[mask] = 0
    known = [number for number, mask in enumerate(masks, start=1) if mask is not None]
    for number in sorted(known, key=lambda n: np.count_nonzero(masks[n - 1]), reverse=True):
        labels[masks[number - 1]] = number
    return Target(labels, boxes, np.array([mask is not None for mask in masks], bool))


def _inside(box: np.ndarray, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns that a box touches."""
    height, width = shape
    left, top, right, bottom = box
    return (
        slice(int(np.floor(top * height)), int(np.ceil(bottom * height))),
        slice(int(np.floor(left * width)), int(np.ceil(right * width))),
    )
