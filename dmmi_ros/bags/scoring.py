"""Scores of outcomes for which there is ground truth."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dmmi_core.errors import InputError
from dmmi_core.evaluation.instance_metrics import MATCHING_IOU, mask_iou
from dmmi_core.evaluation.metrics import ReferringSegmentation, overlap, sample_iou
from dmmi_core.result import Instance
from dmmi_ros.bags.ground_truth import GroundTruth
from dmmi_ros.bags.outcomes import Outcome


@dataclass(frozen=True)
class Comparison:
    """How a result compares with its ground truth."""

    kind: str
    """Of the ground truth: zero, one or many."""
    target: np.ndarray
    """bool (H, W)."""
    iou: float
    """In [0, 1], by `sample_iou`."""


class Scoring:
    """Compares results with the ground truth, for each request's text and overall."""

    def __init__(self, truth: GroundTruth):
        self._truth = truth
        self._known = len(truth)
        self._scored = 0
        self._metrics: dict[str, ReferringSegmentation] = defaultdict(ReferringSegmentation)
        self._all = ReferringSegmentation()
        self._ids: dict[str, KeptIds] = defaultdict(KeptIds)

    def add(self, outcome: Outcome) -> Comparison | None:
        """Compare a result, if there is one and its ground truth is known. Raises `InputError`."""
        frame, request, result = outcome.frame, outcome.request, outcome.result
        if request is None or result is None:
            return None
        text = request.text
        target = self._truth.target(frame.topic, frame.stamp, text)
        if target is None:
            return None
        self._scored += 1
        sample, predicted = target.sample, result.mask
        if predicted.shape != (sample.height, sample.width):
            height, width = predicted.shape
            raise InputError(
                f"a frame of {frame.topic} is {width} x {height}, but its ground truth "
                f"{sample.width} x {sample.height}"
            )
        mask = sample.mask()
        for metrics in (self._metrics[text], self._all):
            metrics.update(predicted, mask, sample.kind)
        series = frame.topic, request.since
        self._ids[text].add(series, target.masks(), result.instances)
        intersection, union, _ = overlap(predicted, mask)
        return Comparison(sample.kind, mask, sample_iou(intersection, union, sample.kind))

    def scores(self, text: str) -> dict | None:
        """Return the scores of `ReferringSegmentation` and "ids kept", in percent; None without samples."""
        if text not in self._metrics:
            return None
        return {**_compute(self._metrics[text]), "ids kept": self._ids[text].percent()}

    def coverage(self) -> dict[str, int]:
        """Return the numbers of known targets and of results that were compared with one."""
        return {"known": self._known, "compared": self._scored}

    def totals(self) -> dict | None:
        """Return the scores over all requests; None without samples."""
        if not self._metrics:
            return None
        kept = KeptIds.joined(self._ids.values())
        return {**_compute(self._all), "ids kept": kept.percent()}

    def sums(self) -> dict[str, Any]:
        """Return what the scores are made of, for `join`, as JSON has it."""
        return {
            **self.coverage(),
            "all": _state(self._all),
            "texts": {text: _state(metrics) for text, metrics in self._metrics.items()},
            "ids": {text: [ids.steps, ids.kept] for text, ids in self._ids.items()},
        }

    def join(self, sums: dict[str, Any]) -> None:
        """Add the `sums` of other frames."""
        self._known += sums["known"]
        self._scored += sums["compared"]
        _join(self._all, sums["all"])
        for text, state in sums["texts"].items():
            _join(self._metrics[text], state)
            self._ids[text] = KeptIds.joined([self._ids[text], KeptIds(*sums["ids"][text])])


class KeptIds:
    """Counts steps from one frame to the next in which an object is found in both, and keeps its id."""

    def __init__(self, steps: int = 0, kept: int = 0):
        self.steps, self.kept = steps, kept
        self._last: dict[tuple[str, int], dict[int, int]] = {}

    @classmethod
    def joined(cls, parts: Iterable["KeptIds"]) -> "KeptIds":
        """Return the sum of `parts`."""
        parts = list(parts)
        return cls(sum(part.steps for part in parts), sum(part.kept for part in parts))

    def add(
        self, series: tuple[str, int], objects: dict[int, np.ndarray], instances: tuple[Instance, ...]
    ) -> None:
        """Add the next frame of a series (topic, `Request.since`).

        `objects` has the mask of each target, bool (H, W), by its id; `instances` are those predicted.
        """
        found = {
            name: id_ for name, mask in objects.items() if (id_ := _matching_id(mask, instances)) is not None
        }
        last = self._last.get(series, {})
        common = found.keys() & last.keys()
        self.steps += len(common)
        self.kept += sum(found[name] == last[name] for name in common)
        self._last[series] = found

    def percent(self) -> float | None:
        """Return the percentage of steps that keep the id; None without steps."""
        return 100 * self.kept / self.steps if self.steps else None


def _tensors(metrics: ReferringSegmentation) -> dict[str, torch.Tensor]:
    return {name: value for name, value in metrics.metric_state.items() if isinstance(value, torch.Tensor)}


def _state(metrics: ReferringSegmentation) -> dict[str, list]:
    return {name: value.tolist() for name, value in _tensors(metrics).items()}


def _join(metrics: ReferringSegmentation, state: dict[str, list]) -> None:
    for name, value in _tensors(metrics).items():
        setattr(metrics, name, value + torch.tensor(state[name], dtype=value.dtype))


def _compute(metrics: ReferringSegmentation) -> dict[str, Any]:
    """Return the scores; `metrics.compute()` would warn that joined sums came without `update`."""
    return ReferringSegmentation.compute(metrics)


def _matching_id(mask: np.ndarray, instances: tuple[Instance, ...]) -> int | None:
    """Return the id of the instance with the highest IoU with `mask`, if it is at least MATCHING_IOU."""
    best = max(((_iou(mask, instance), instance.id) for instance in instances), default=(0.0, 0))
    return best[1] if best[0] >= MATCHING_IOU else None


def _iou(mask: np.ndarray, instance: Instance) -> float:
    predicted = np.zeros_like(mask)
    instance.paste(predicted, True)
    return mask_iou(mask, predicted)
