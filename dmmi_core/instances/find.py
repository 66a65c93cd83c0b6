"""Foreground and instances of one text, by the grouping that the options or the text ask for."""

from typing import NamedTuple

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.grammar import count_of
from dmmi_core.instances.centre_grouping import group_by_centres
from dmmi_core.instances.detections import Detections, find_boxes, keep_boxes
from dmmi_core.instances.grouping import GROUPINGS, group_instances, grouping_for
from dmmi_core.result import Instance
from dmmi_core.segmenter_options import Options

CENTRES = "centres"


class TextScores(NamedTuple):
    """Scores of one text about one image."""

    probability: np.ndarray
    """float32 (S, S): probability that a position is of a target."""
    centres: np.ndarray | None = None
    """float32 (h, w): centre logits of the instance head; None without it."""
    offsets: np.ndarray | None = None
    """float32 (2, h, w): offsets of the instance head."""
    detections: Detections | None = None
    """Detections of the guide; None without it."""


class Found(NamedTuple):
    """Targets of a text in an image of H x W pixels."""

    foreground: np.ndarray
    """bool (H, W): pixels above the mask threshold, grouped or not."""
    instances: tuple[Instance, ...]


def check_grouping(grouping: str | None, *, has_head: bool) -> None:
    """Raise InputError for a grouping that does not exist or needs an instance head that is missing."""
    known = (CENTRES, *GROUPINGS) if has_head else tuple(GROUPINGS)
    if grouping not in (None, *known):
        raise InputError(f"grouping is {grouping!r}; it must be one of {', '.join(known)}")


def default_grouping(expression: str, *, has_head: bool) -> str:
    """Return the grouping for an expression if the options name none."""
    return grouping_for(expression, several=CENTRES if has_head else "watershed")


def find_instances(
    scores: TextScores, size: tuple[int, int], expression: str, grouping: str, options: Options
) -> Found:
    """Return the foreground and its instances at the image's `size` (H, W).

    Foreground is what is inside the guide's boxes, if it detects anything that the text names. With the
    grouping "centres" a number in the expression bounds the instances.
    """
    probability, boxes = scores.probability, None
    if scores.detections is not None:
        found = find_boxes(scores.detections, probability > options.mask_threshold)
        boxes = found if len(found) else None
    if boxes is not None:
        probability = keep_boxes(probability, boxes)
    probability = cv2.resize(probability, size[::-1], interpolation=cv2.INTER_LINEAR)
    foreground = probability > options.mask_threshold
    if grouping == CENTRES and scores.centres is not None and scores.offsets is not None:
        instances = group_by_centres(
            probability,
            scores.centres,
            scores.offsets,
            mask_threshold=options.mask_threshold,
            min_area=options.min_area,
            count=count_of(expression),
            boxes=boxes,
        )
    else:
        instances = group_instances(probability, options.mask_threshold, options.min_area, grouping)
    return Found(foreground, instances)
