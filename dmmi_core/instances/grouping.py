"""Grouping of foreground pixels into instances by rules, and images of grouped instances."""

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from dmmi_core.grammar import is_singular
from dmmi_core.instances.watershed import watershed
from dmmi_core.result import Instance, Roi

RELATIVE_CONFIDENCE = 0.8
"""Least margin of a group, as a share of the largest margin; a group's margin is its highest probability
minus the mask threshold. The rule holds for groups of any size: exempting large ones costs dmmi-lite 0.3 to
1.4 points of instance F1."""
SPECK = 0.05
"""Share of the area of an instance's largest part below which another part, or a hole, is noise."""
DILATION = 0.06
"""Radius of the dilation that joins parts, as a share of the longer side of the foreground's bounding box."""


def connected_components(foreground: np.ndarray) -> np.ndarray:
    """Label the 8-connected components of foreground, uint8 (H, W): int32 (H, W), 0 for background."""
    return cv2.connectedComponents(foreground)[1]


def joined_components(foreground: np.ndarray) -> np.ndarray:
    """Label components like `connected_components`, but join those that DILATION connects.

    One object behind an obstacle is in several parts.
    """
    # Thresholding the distance is a dilation by a disc whose cost does not grow with the disc.
    distance = cv2.distanceTransform(1 - foreground, cv2.DIST_L2, cv2.DIST_MASK_5)
    near = (distance <= round(DILATION * max(foreground.shape))).astype(np.uint8)
    return connected_components(near) * foreground


GROUPINGS = {
    "watershed": watershed,
    "connected_components": connected_components,
    "single": joined_components,
}
"""Functions that label the foreground within its bounding box, by the name of the grouping."""


def grouping_for(expression: str, *, several: str = "watershed") -> str:
    """Return "single" if the expression names one object by its grammar, otherwise `several`."""
    return "single" if is_singular(expression) else several


def group_instances(
    probability: np.ndarray, mask_threshold: float, min_area: int, grouping: str = "watershed"
) -> tuple[Instance, ...]:
    """Return instances of the pixels with `probability` > `mask_threshold`, largest first.

    probability float32 (H, W) in [0, 1]; `grouping` is a key of GROUPINGS. Groups of less than `min_area`
    pixels are left out, and those below RELATIVE_CONFIDENCE. "single" keeps only the group with the highest
    mean probability.
    """
    foreground = (probability > mask_threshold).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(foreground)  # nothing to label outside it
    if not width:
        return ()
    inside = np.s_[y : y + height, x : x + width]
    labels, probability = GROUPINGS[grouping](foreground[inside]), probability[inside]
    found = labelled_instances(labels, probability, min_area, (x, y))
    margins = [_highest(probability, labels == label) - mask_threshold for label, _ in found]
    least = RELATIVE_CONFIDENCE * max(margins, default=0.0)
    kept = [instance for (_, instance), margin in zip(found, margins, strict=True) if margin >= least]
    if grouping == "single":
        kept = sorted(kept, key=lambda instance: instance.score)[-1:]
    return numbered(kept)


def labelled_instances(
    labels: np.ndarray, probability: np.ndarray, min_area: int, origin: tuple[int, int]
) -> list[tuple[int, Instance]]:
    """Return each label of at least `min_area` pixels with its instance, largest first.

    labels int (h, w), 0 for background; probability float32 (h, w); origin, x and y of both in the image. All
    instances have id 0; see `numbered`. Masks are without specks; holes are filled with background only.
    """
    areas = np.bincount(labels.ravel())[1:]
    large = 1 + np.flatnonzero(areas >= max(min_area, 1))
    kept = sorted(large.tolist(), key=lambda label: -areas[label - 1])
    return [(label, _instance(label, labels, probability, origin)) for label in kept]


def numbered(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """Return the instances with ids from 1 on."""
    return tuple(replace(instance, id=number) for number, instance in enumerate(instances, start=1))


def _highest(values: np.ndarray, mask: np.ndarray) -> float:
    """Return the highest value where `mask` is True; it must not be empty."""
    return cv2.minMaxLoc(values, mask.view(np.uint8))[1]


def without_specks(mask: np.ndarray) -> np.ndarray:
    """Return a mask, bool (h, w), without its small parts and holes; see SPECK. It must not be empty."""
    padded = np.pad(mask, 1)  # what surrounds the object is then one region, that of the corner
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(padded.astype(np.uint8))
    areas = statistics[:, cv2.CC_STAT_AREA]
    least = SPECK * areas[1:].max()
    padded &= (areas >= least)[parts]
    _, gaps, statistics, _ = cv2.connectedComponentsWithStats((~padded).astype(np.uint8))
    is_hole = statistics[:, cv2.CC_STAT_AREA] < least
    is_hole[[0, gaps[0, 0]]] = False  # 0 is the mask itself
    return (padded | is_hole[gaps])[1:-1, 1:-1]


def _instance(label: int, labels: np.ndarray, probability: np.ndarray, origin: tuple[int, int]) -> Instance:
    coarse = _bounds(labels == label)
    mask = without_specks(labels[coarse.slices] == label) & np.isin(labels[coarse.slices], (0, label))
    fine = _bounds(mask)
    mask = mask[fine.slices]
    score = float(probability[coarse.slices][fine.slices][mask].mean())
    roi = Roi(origin[0] + coarse.x + fine.x, origin[1] + coarse.y + fine.y, fine.width, fine.height)
    return Instance(0, score, int(mask.sum()), roi, mask)


def _bounds(mask: np.ndarray) -> Roi:
    return Roi(*cv2.boundingRect(mask.astype(np.uint8)))


def union_mask(instances: tuple[Instance, ...], height: int, width: int) -> np.ndarray:
    """Return the union of the instances' masks, bool (height, width)."""
    mask = np.zeros((height, width), bool)
    for instance in instances:
        roi = instance.roi
        mask[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] |= instance.mask
    return mask


def label_image(instances: tuple[Instance, ...], height: int, width: int) -> np.ndarray:
    """Return instance ids, 0 for background, as uint8 (height, width), or uint16 if an id exceeds 255."""
    highest = max((instance.id for instance in instances), default=0)
    labels = np.zeros((height, width), np.uint8 if highest <= 255 else np.uint16)
    for instance in instances:
        roi = instance.roi
        labels[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width][instance.mask] = instance.id
    return labels
