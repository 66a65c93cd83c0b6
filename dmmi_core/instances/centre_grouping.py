"""Grouping of foreground pixels by predicted centres (Panoptic-DeepLab, Cheng et al. 2020)."""

import cv2
import numpy as np

from dmmi_core.instances.grouping import labelled_instances, numbered
from dmmi_core.result import Instance

CENTRE_THRESHOLD = 0.25
"""Lowest probability of a centre."""
SUPPRESSION_WINDOW = 5
"""Side of the square window in which only the position of the highest probability is a centre; odd."""
MAX_CENTRES = 100
OFFSET_UPSAMPLING = 4
"""Factor by which offsets are upsampled, for finer borders between instances."""


def group_by_centres(
    probability: np.ndarray,
    heat: np.ndarray,
    offsets: np.ndarray,
    *,
    mask_threshold: float,
    min_area: int,
    count: int | None = None,
    boxes: np.ndarray | None = None,
) -> tuple[Instance, ...]:
    """Return instances, largest first: each pixel of the foreground joins the centre that it points to.

    Foreground is `probability` > `mask_threshold`; instances of less than `min_area` pixels are left out.
    probability float32 (H, W); heat float32 (h, w), logits, and offsets float32 (2, h, w), as fractions of
    the sides: `centres` and `offsets` of `Scores`. With `count` there are at most so many centres. Boxes of
    objects, (K, 4) with K >= 1 as fractions of the sides, likeliest first, replace the centres in `heat`: the
    centres are theirs, and only pixels in its box join one.
    """
    foreground = (probability > mask_threshold).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(foreground)
    if not width:
        return ()
    inside = np.s_[y : y + height, x : x + width]
    if boxes is None:
        small = cv2.resize(probability, heat.shape[::-1], interpolation=cv2.INTER_AREA) > mask_threshold
        nearest = nearest_centres(find_centres(heat, small, count), offsets)
    else:
        boxes = boxes[:count]
        nearest = nearest_centres((boxes[:, :2] + boxes[:, 2:]) / 2, offsets, boxes)
    nearest = cv2.resize(nearest, foreground.shape[::-1], interpolation=cv2.INTER_NEAREST)[inside]
    labels = np.where(foreground[inside], nearest.astype(np.int32), 0)
    return numbered(item for _, item in labelled_instances(labels, probability[inside], min_area, (x, y)))


def find_centres(heat: np.ndarray, foreground: np.ndarray, count: int | None = None) -> np.ndarray:
    """Return the centres, x and y as fractions of the sides, (K, 2) with K >= 1, likeliest first.

    heat float32 (h, w), logits; foreground bool (h, w). If no position reaches CENTRE_THRESHOLD, the
    likeliest one in the foreground is the centre, as every foreground pixel belongs to an instance. Of more
    than `count` centres, or MAX_CENTRES, the likeliest are kept.
    """
    highest = cv2.dilate(heat, np.ones((SUPPRESSION_WINDOW, SUPPRESSION_WINDOW), np.uint8))
    is_centre = (heat == highest) & (heat > np.log(CENTRE_THRESHOLD / (1 - CENTRE_THRESHOLD)))
    if not is_centre.any():
        is_centre = heat == heat[foreground].max() if foreground.any() else heat == heat.max()
    rows, columns = np.nonzero(is_centre)
    order = np.argsort(-heat[rows, columns], kind="stable")[: count or MAX_CENTRES]
    return np.stack([(columns[order] + 0.5) / heat.shape[1], (rows[order] + 0.5) / heat.shape[0]], axis=1)


def nearest_centres(centres: np.ndarray, offsets: np.ndarray, boxes: np.ndarray | None = None) -> np.ndarray:
    """Return the number, 1 to K, of the centre nearest to where each position points.

    centres (K, 2) and offsets float32 (2, h, w), x and y, as fractions of the sides. With the boxes of the
    centres, (K, 4), a position counts those only whose box it is in; it has the number 0 if there is none.
    Returns uint8 (s h, s w) with s = OFFSET_UPSAMPLING.
    """
    height, width = OFFSET_UPSAMPLING * offsets.shape[1], OFFSET_UPSAMPLING * offsets.shape[2]
    if len(centres) == 1 and boxes is None:
        return np.ones((height, width), np.uint8)
    offsets = cv2.resize(offsets.transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    best, nearest = np.full((height, width), np.inf, np.float32), np.zeros((height, width), np.uint8)
    for number, (column, row) in enumerate(centres.astype(np.float32), start=1):
        distance = (x + offsets[..., 0] - column) ** 2 + (y + offsets[..., 1] - row) ** 2
        closer = distance < best
        if boxes is not None:
            left, top, right, bottom = boxes[number - 1]
            closer &= (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
        best[closer], nearest[closer] = distance[closer], number
    return nearest
