"""Detections of the guide: boxes of the objects that a text may refer to, by category and foreground."""

from typing import NamedTuple

import cv2
import numpy as np

LEAST_PROBABILITY = 0.35
"""Lowest probability of a detection."""
SUPPRESSION_IOU = 0.4
"""Of boxes that overlap by more than this, the likeliest is kept."""
LEAST_FOREGROUND = 0.3
"""Least share of a box that is foreground."""
MAX_BOXES = 100


class Detections(NamedTuple):
    """Detections at the P positions of the guide for one text."""

    logits: np.ndarray
    """float32 (P,): whether there is an object of the categories that the text names."""
    boxes: np.ndarray
    """float32 (P, 4): left, top, right and bottom as fractions of the image's sides."""


def find_boxes(detections: Detections, foreground: np.ndarray) -> np.ndarray:
    """Return the boxes of the objects in the foreground, bool (S, S): float32 (K, 4), likeliest first.

    K is 0 if the guide sees nothing that the text names.
    """
    probabilities = 1 / (1 + np.exp(-detections.logits))
    likely = probabilities >= LEAST_PROBABILITY
    probabilities, boxes = probabilities[likely], detections.boxes[likely]
    filled = _shares(boxes, foreground) >= LEAST_FOREGROUND
    probabilities, boxes = probabilities[filled], boxes[filled]
    corners_and_sides = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    numbers = cv2.dnn.NMSBoxes(
        corners_and_sides.tolist(),
        probabilities.tolist(),
        LEAST_PROBABILITY,
        SUPPRESSION_IOU,
        top_k=MAX_BOXES,
    )
    return boxes[np.asarray(numbers, np.intp)]  # an empty tuple if there is none


def keep_boxes(probability: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return a map of foreground probabilities, float32 (S, S), with 0 outside all `boxes`, (K, 4)."""
    inside = np.zeros(probability.shape, bool)
    for left, top, right, bottom in _positions(boxes, probability.shape):
        inside[top:bottom, left:right] = True
    return np.where(inside, probability, 0)


def _shares(boxes: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Return the share of each box that is foreground, (K,)."""
    sums = cv2.integral(foreground.astype(np.uint8))
    left, top, right, bottom = _positions(boxes, foreground.shape).T
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return inside / np.maximum((right - left) * (bottom - top), 1)


def _positions(boxes: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return boxes in positions of a map of `size` (h, w), int64 (K, 4)."""
    height, width = size
    limits = np.array([width, height, width, height])
    return np.clip(np.rint(boxes * limits), 0, limits).astype(np.int64)
