"""Metrics of referring segmentation with zero, one or many targets, in percent.

oIoU, mIoU, Prec@X and Acc are the paper's (5.2); gIoU, cIoU, N-acc and T-acc are those of GRES
(Liu et al., CVPR 2023).
"""

from typing import NamedTuple

import numpy as np

from dmmi_core.data.samples import KINDS

PRECISION_AT = (0.5, 0.7, 0.9)


class _Overlap(NamedTuple):
    intersection: int
    union: int
    predicted: bool
    """Whether any pixel was predicted."""
    kind: str

    @property
    def iou(self) -> float:
        return self.intersection / self.union if self.union else 0.0


class Metrics:
    """Fed one sample after the other; `compute` at any time."""

    def __init__(self):
        self._overlaps: list[_Overlap] = []

    def update(self, predicted: np.ndarray, target: np.ndarray, kind: str) -> None:
        """Masks bool (H, W); `kind` is zero, one or many."""
        intersection = int(np.count_nonzero(predicted & target))
        union = int(np.count_nonzero(predicted | target))
        self._overlaps.append(_Overlap(intersection, union, bool(predicted.any()), kind))

    def compute(self) -> dict[str, float | int | None]:
        """Percentages, None where no sample defines them, and the number of samples of each kind."""
        zero = [o for o in self._overlaps if o.kind == "zero"]
        targeted = [o for o in self._overlaps if o.kind != "zero"]
        ious = [o.iou for o in targeted]
        rejected = [not o.predicted for o in zero]
        return {
            "oIoU": _overall_iou(targeted),
            "mIoU": _percent(ious),
            "Acc": _percent(rejected),
            **{f"Prec@{x}": _percent([iou > x for iou in ious]) for x in PRECISION_AT},
            "gIoU": _percent(ious + rejected),
            "cIoU": _overall_iou(self._overlaps),
            "N-acc": _percent(rejected),
            "T-acc": _percent([o.predicted for o in targeted]),
            **{kind: sum(o.kind == kind for o in self._overlaps) for kind in KINDS},
        }


def _percent(values: list) -> float | None:
    return 100 * float(np.mean(values)) if values else None


def _overall_iou(overlaps: list[_Overlap]) -> float | None:
    union = sum(o.union for o in overlaps)
    return 100 * sum(o.intersection for o in overlaps) / union if union else None
