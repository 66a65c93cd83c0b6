"""Foreground into instances."""

import cv2
import numpy as np

from dmmi_core.result import Instance, Roi

GROUPING = "connected_components"


def group_instances(probability: np.ndarray, mask_threshold: float, min_area: int) -> tuple[Instance, ...]:
    """8-connected components of `probability` > `mask_threshold` with `min_area` pixels or more, by area.

    `probability` is float32 (H, W) in [0, 1]. Objects that touch come out as one.
    """
    foreground = (probability > mask_threshold).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(foreground)  # nothing to label outside it
    if not width:
        return ()
    inside = probability[y : y + height, x : x + width]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(foreground[y : y + height, x : x + width])
    kept = [label for label in range(1, len(stats)) if stats[label, cv2.CC_STAT_AREA] >= min_area]
    kept.sort(key=lambda label: -stats[label, cv2.CC_STAT_AREA])
    return tuple(
        _instance(number, labels == label, inside, (x, y)) for number, label in enumerate(kept, start=1)
    )


def _instance(number: int, mask: np.ndarray, probability: np.ndarray, origin: tuple[int, int]) -> Instance:
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    cut = np.s_[y : y + height, x : x + width]
    crop = mask[cut]
    roi = Roi(origin[0] + x, origin[1] + y, width, height)
    return Instance(number, float(probability[cut][crop].mean()), int(crop.sum()), roi, crop)


def union_mask(instances: tuple[Instance, ...], height: int, width: int) -> np.ndarray:
    """All instances in one bool (height, width)."""
    mask = np.zeros((height, width), bool)
    for instance in instances:
        roi = instance.roi
        mask[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] |= instance.mask
    return mask
