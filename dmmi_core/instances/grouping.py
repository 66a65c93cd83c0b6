"""Foreground into instances."""

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from dmmi_core.grammar import is_singular
from dmmi_core.instances.watershed import watershed
from dmmi_core.result import Instance, Roi

SURE = 0.8
"""A group is an instance where its surest pixel exceeds the threshold by at least this share of what the
surest of all does. That holds for groups of any size: sparing large ones costs dmmi-lite 0.3 to 1.4 points of
instance F1."""
REACH = 0.06
"""Share of the longer side of the foreground's bounding box."""


def connected_components(foreground: np.ndarray) -> np.ndarray:
    """8-connected: labels int32 (H, W), 0 for background, of foreground uint8 (H, W)."""
    return cv2.connectedComponents(foreground)[1]


def single(foreground: np.ndarray) -> np.ndarray:
    """The same over gaps of up to twice REACH: one object that has something in front of it is in parts."""
    # A threshold of the distance is a dilation by a disc, at a cost that does not grow with the disc.
    distance = cv2.distanceTransform(1 - foreground, cv2.DIST_L2, cv2.DIST_MASK_5)
    near = (distance <= round(REACH * max(foreground.shape))).astype(np.uint8)
    return connected_components(near) * foreground


GROUPINGS = {"watershed": watershed, "connected_components": connected_components, "single": single}
"""How foreground becomes groups: each takes its bounding box and labels it."""


def grouping_for(expression: str, *, several: str = "watershed") -> str:
    """What is one by its name is found once, its parts joined; anything else is parted by `several`."""
    return "single" if is_singular(expression) else several


def group_instances(
    probability: np.ndarray, mask_threshold: float, min_area: int, grouping: str = "watershed"
) -> tuple[Instance, ...]:
    """Groups of the pixels with `probability` > `mask_threshold`, by area; `grouping` is one of GROUPINGS.

    `probability` is float32 (H, W) in [0, 1]. Groups of less than `min_area` pixels are left out, and
    those of which the network is nowhere nearly as sure as of the surest. "single" gives only the one that
    it is surest of on average.
    """
    foreground = (probability > mask_threshold).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(foreground)  # nothing to label outside it
    if not width:
        return ()
    inside = np.s_[y : y + height, x : x + width]
    labels, probability = GROUPINGS[grouping](foreground[inside]), probability[inside]
    found = labelled_instances(labels, probability, min_area, (x, y))
    surest = [_highest(probability, labels == label) - mask_threshold for label, _ in found]
    found = [item for (_, item), sure in zip(found, surest, strict=True) if sure >= SURE * max(surest)]
    if grouping == "single":
        found = sorted(found, key=lambda instance: instance.score)[-1:]
    return numbered(found)


def labelled_instances(
    labels: np.ndarray, probability: np.ndarray, min_area: int, origin: tuple[int, int]
) -> list[tuple[int, Instance]]:
    """Each label of at least `min_area` pixels with its instance, which has no number yet; largest first.

    labels int (h, w), 0 for background; probability float32 (h, w); origin, where both begin in the image.
    """
    areas = np.bincount(labels.ravel())[1:]
    large = 1 + np.flatnonzero(areas >= max(min_area, 1))
    kept = sorted(large.tolist(), key=lambda label: -areas[label - 1])
    return [(label, _instance(labels == label, probability, origin)) for label in kept]


def numbered(found: Iterable[Instance]) -> tuple[Instance, ...]:
    return tuple(replace(instance, id=number) for number, instance in enumerate(found, start=1))


def _highest(values: np.ndarray, mask: np.ndarray) -> float:
    """Where `mask`, which must be somewhere, is True."""
    return cv2.minMaxLoc(values, mask.view(np.uint8))[1]


def _instance(mask: np.ndarray, probability: np.ndarray, origin: tuple[int, int]) -> Instance:
    """Without its number yet."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    cut = np.s_[y : y + height, x : x + width]
    crop = mask[cut]
    roi = Roi(origin[0] + x, origin[1] + y, width, height)
    return Instance(0, float(probability[cut][crop].mean()), int(crop.sum()), roi, crop)


def union_mask(instances: tuple[Instance, ...], height: int, width: int) -> np.ndarray:
    """All instances in one bool (height, width)."""
    mask = np.zeros((height, width), bool)
    for instance in instances:
        roi = instance.roi
        mask[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] |= instance.mask
    return mask


def label_image(instances: tuple[Instance, ...], height: int, width: int) -> np.ndarray:
    """Instance ids, 0 for background: uint8 (height, width), or uint16 where an id is past 255."""
    highest = max((instance.id for instance in instances), default=0)
    labels = np.zeros((height, width), np.uint8 if highest <= 255 else np.uint16)
    for instance in instances:
        roi = instance.roi
        labels[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width][instance.mask] = instance.id
    return labels
