"""Foreground into instances by the centres that the network finds (Panoptic-DeepLab, Cheng et al. 2020)."""

import cv2
import numpy as np

from dmmi_core.instances.grouping import labelled_instances, numbered
from dmmi_core.result import Instance

CERTAIN = 0.25
"""Probability from which a position is a centre."""
APART = 5
"""Side of the window of positions in which only the highest is a centre; odd."""
MOST = 100
"""Centres that are told apart."""


def group_by_centres(
    probability: np.ndarray,
    heat: np.ndarray,
    offsets: np.ndarray,
    *,
    mask_threshold: float,
    min_area: int,
) -> tuple[Instance, ...]:
    """Instances, by area: pixels with `probability` > `mask_threshold`, each with the centre it points to.

    probability float32 (H, W); heat float32 (h, w), logits, and offsets float32 (2, h, w), as fractions of
    the sides: `centres` and `offsets` of `Scores`. Groups of less than `min_area` pixels are left out.
    """
    foreground = (probability > mask_threshold).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(foreground)
    if not width:
        return ()
    inside = np.s_[y : y + height, x : x + width]
    seen = cv2.resize(probability, heat.shape[::-1], interpolation=cv2.INTER_AREA) > mask_threshold
    nearest = nearest_centres(find_centres(heat, seen), offsets)
    nearest = cv2.resize(nearest, foreground.shape[::-1], interpolation=cv2.INTER_NEAREST)[inside]
    labels = np.where(foreground[inside], nearest.astype(np.int32), 0)
    return numbered(item for _, item in labelled_instances(labels, probability[inside], min_area, (x, y)))


def find_centres(heat: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Fractions (K, 2), x and y, of the centres; K is at least 1.

    heat float32 (h, w), logits; seen bool (h, w), where there is foreground. Where nothing is certainly a
    centre, the likeliest position that is seen is, as all foreground belongs to something.
    """
    highest = cv2.dilate(heat, np.ones((APART, APART), np.uint8))
    certain = (heat == highest) & (heat > np.log(CERTAIN / (1 - CERTAIN)))
    if not certain.any():
        certain = heat == heat[seen].max() if seen.any() else heat == heat.max()
    rows, columns = np.nonzero(certain)
    order = np.argsort(-heat[rows, columns], kind="stable")[:MOST]
    return np.stack([(columns[order] + 0.5) / heat.shape[1], (rows[order] + 0.5) / heat.shape[0]], axis=1)


FINER = 4
"""How many times finer than the offsets the borders between instances are drawn."""


def nearest_centres(centres: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Which of the centres (K, 2) each position points to: 1 to K, uint8, (FINER h, FINER w).

    offsets float32 (2, h, w), x and y, as fractions of the sides.
    """
    height, width = FINER * offsets.shape[1], FINER * offsets.shape[2]
    if len(centres) == 1:
        return np.ones((height, width), np.uint8)
    ways = cv2.resize(offsets.transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    x = ways[..., 0] + (np.arange(width, dtype=np.float32) + 0.5) / width
    y = ways[..., 1] + (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    best, nearest = np.full((height, width), np.inf, np.float32), np.zeros((height, width), np.uint8)
    for number, (column, row) in enumerate(centres.astype(np.float32), start=1):
        distance = (x - column) ** 2 + (y - row) ** 2
        closer = distance < best
        best[closer], nearest[closer] = distance[closer], number
    return nearest
