"""Metrics of referring segmentation with zero, one or many targets, in percent.

oIoU, mIoU, Prec@X and Acc are the paper's (5.2); gIoU, cIoU, N-acc and T-acc are those of GRES
(Liu et al., CVPR 2023).
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from dmmi_core.data.samples import KINDS

Mask = np.ndarray | Tensor
TARGETED = ("one", "many")


class ReferringSegmentation(Metric):
    """Metrics of referring segmentation, accumulated sample by sample over all processes.

    Prec@X is the share of samples with `exceeds(IoU, X)`, for each X of `thresholds`.
    Each state has one row per kind, in the order of KINDS.
    """

    samples: Tensor
    intersection: Tensor
    union: Tensor
    empty: Tensor
    iou: Tensor
    hits: Tensor
    full_state_update = False

    def __init__(
        self,
        thresholds: Sequence[float] = (0.5, 0.7, 0.9),
        exceeds: Callable[[float, float], bool] = operator.gt,
        **options: Any,
    ):
        """Further options are those of `torchmetrics.Metric`."""
        super().__init__(**options)
        self.thresholds, self.exceeds = tuple(thresholds), exceeds
        counts = torch.zeros(len(KINDS), dtype=torch.int64)
        for name in ("samples", "intersection", "union", "empty"):
            self.add_state(name, counts.clone(), dist_reduce_fx="sum")
        self.add_state("iou", counts.double(), dist_reduce_fx="sum")
        self.add_state("hits", counts[:, None].repeat(1, len(self.thresholds)), dist_reduce_fx="sum")

    def update(self, predicted: Mask, target: Mask, kind: str) -> None:
        """Add a sample: masks bool (H, W), on the CPU; `kind` is zero, one or many."""
        row = KINDS.index(kind)
        intersection, union, predicted_any = overlap(predicted, target)
        iou = sample_iou(intersection, union, kind)
        self.samples[row] += 1
        self.intersection[row] += intersection
        self.union[row] += union
        self.empty[row] += not predicted_any
        self.iou[row] += iou
        for column, threshold in enumerate(self.thresholds):
            self.hits[row, column] += self.exceeds(iou, threshold)

    def compute(self) -> dict[str, Any]:
        """Return percentages, None if no sample defines one, and the number of samples of each kind.

        "by_kind" has the percentages that the samples of each kind alone define.
        """
        by_kind = {kind: self._scores((kind,)) for kind in KINDS}
        return {
            **self._scores(KINDS),
            **dict(zip(KINDS, self.samples.tolist(), strict=True)),
            "by_kind": {
                kind: {name: value for name, value in scores.items() if value is not None}
                for kind, scores in by_kind.items()
            },
        }

    def _scores(self, kinds: Sequence[str]) -> dict[str, float | None]:
        zero = [KINDS.index(kind) for kind in kinds if kind not in TARGETED]
        targeted = [KINDS.index(kind) for kind in kinds if kind in TARGETED]
        hits = zip(self.thresholds, self.hits.T, strict=True)
        return {
            "oIoU": _percent(self.intersection, self.union, targeted),
            "mIoU": _percent(self.iou, self.samples, targeted),
            "Acc": _percent(self.empty, self.samples, zero),
            **{f"Prec@{x}": _percent(count, self.samples, targeted) for x, count in hits},
            "gIoU": _percent(self.iou, self.samples, zero + targeted),
            "cIoU": _percent(self.intersection, self.union, zero + targeted),
            "N-acc": _percent(self.empty, self.samples, zero),
            "T-acc": _percent(self.samples - self.empty, self.samples, targeted),
        }


def overlap(predicted: Mask, target: Mask) -> tuple[int, int, bool]:
    """Return the pixels of the intersection, those of the union, and whether any pixel was predicted."""
    predicted, target = np.asarray(predicted), np.asarray(target)
    area, intersection = int(np.count_nonzero(predicted)), int(np.count_nonzero(predicted & target))
    return intersection, area + int(np.count_nonzero(target)) - intersection, area > 0


def sample_iou(intersection: int, union: int, kind: str) -> float:
    """Return the IoU of a sample as gIoU defines it.

    A one-to-zero sample has 1 if nothing is predicted, else 0; a targeted sample with an empty mask has 0.
    """
    if kind == "zero":
        return float(union == 0)
    return intersection / union if union else 0.0


def _percent(part: Tensor, whole: Tensor, rows: list[int]) -> float | None:
    total = whole[rows].sum().item()
    return 100 * part[rows].sum().item() / total if total else None


def table(scores: dict[str, Any]) -> list[list[str]]:
    """Format the output of `compute` as rows of text: titles, all samples, and each kind."""
    names = [name for name in scores if name not in (*KINDS, "by_kind")]
    rows = [["all", sum(scores[kind] for kind in KINDS), scores]]
    rows += [[kind, scores[kind], scores["by_kind"][kind]] for kind in (*TARGETED, "zero")]
    return [
        ["", "samples", *names],
        *([title, str(count), *(_text(of.get(name)) for name in names)] for title, count, of in rows),
    ]


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
