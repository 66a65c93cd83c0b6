"""Metrics of instances in percent: precision, recall and F1 of objects at IoU 0.5."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from dmmi_core.data.samples import KINDS
from dmmi_core.evaluation.metrics import TARGETED, Mask, overlap

MATCHING_IOU = 0.5


class InstanceDetection(Metric):
    """Instance precision, recall and F1, accumulated sample by sample over all processes.

    Like oIoU, the figures are of one-to-one and one-to-many samples only; Acc covers one-to-zero samples.
    Each state has one row per kind, in the order of KINDS.
    """

    matched: Tensor
    predicted: Tensor
    present: Tensor
    full_state_update = False

    def __init__(self, **options: Any):
        """Options are those of `torchmetrics.Metric`."""
        super().__init__(**options)
        for name in ("matched", "predicted", "present"):
            self.add_state(name, torch.zeros(len(KINDS), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predicted: Sequence[Mask], target: Sequence[Mask], kind: str) -> None:
        """Add a sample: masks of the predicted instances and of the objects, bool (H, W), on the CPU."""
        row = KINDS.index(kind)
        self.matched[row] += matches(predicted, target)
        self.predicted[row] += len(predicted)
        self.present[row] += len(target)

    def compute(self) -> dict[str, Any]:
        """Return percentages, None if no sample defines one; "by_kind" has those of each kind."""
        return {**self._scores(TARGETED), "by_kind": {kind: self._defined(kind) for kind in KINDS}}

    def _defined(self, kind: str) -> dict[str, float]:
        scores = self._scores((kind,)) if kind in TARGETED else {}
        return {name: value for name, value in scores.items() if value is not None}

    def _scores(self, kinds: Sequence[str]) -> dict[str, float | None]:
        rows = [KINDS.index(kind) for kind in kinds]
        matched, predicted, present = (
            count[rows].sum().item() for count in (self.matched, self.predicted, self.present)
        )
        return {
            "instance_P": 100 * matched / predicted if predicted else None,
            "instance_R": 100 * matched / present if present else None,
            "instance_F1": 200 * matched / (predicted + present) if present else None,
        }


def matches(predicted: Sequence[Mask], target: Sequence[Mask]) -> int:
    """Count the one-to-one pairs of an instance and an object whose IoU is at least MATCHING_IOU.

    Greedy matching, best pair first, finds the most pairs: instances do not overlap, so that only one of them
    can have an IoU above a half with an object.
    """
    ious = np.array([[mask_iou(instance, item) for item in target] for instance in predicted])
    count = 0
    while ious.size and ious.max() >= MATCHING_IOU:
        instance, item = np.unravel_index(ious.argmax(), ious.shape)
        ious[instance], ious[:, item] = 0, 0
        count += 1
    return count


def mask_iou(predicted: Mask, target: Mask) -> float:
    """Return the IoU of two masks of one size, or 0 if both are empty."""
    intersection, union, _ = overlap(predicted, target)
    return intersection / union if union else 0.0
