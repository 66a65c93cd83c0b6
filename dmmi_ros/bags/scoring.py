"""Scores of outcomes for which there is ground truth."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.evaluation.instance_metrics import MATCHING_IOU, mask_iou
from dmmi_core.evaluation.metrics import ReferringSegmentation
from dmmi_core.result import Instance
from dmmi_ros.bags.ground_truth import GroundTruth
from dmmi_ros.bags.outcomes import Outcome


class Scoring:
    """Compares results with the ground truth, for each request's text and overall."""

    def __init__(self, truth: GroundTruth):
        self._truth = truth
        self._scored = 0
        self._metrics: dict[str, ReferringSegmentation] = defaultdict(ReferringSegmentation)
        self._all = ReferringSegmentation()
        self._ids: dict[str, KeptIds] = defaultdict(KeptIds)

    def add(self, outcome: Outcome) -> None:
        """Compare a result, if there is one and its ground truth is known. Raises `InputError`."""
        frame, request, result = outcome.frame, outcome.request, outcome.result
        if request is None or result is None:
            return
        text = request.text
        target = self._truth.target(frame.topic, frame.stamp, text)
        if target is None:
            return
        self._scored += 1
        sample, predicted = target.sample, result.mask
        if predicted.shape != (sample.height, sample.width):
            height, width = predicted.shape
            raise InputError(
                f"a frame of {frame.topic} is {width} x {height}, but its ground truth "
                f"{sample.width} x {sample.height}"
            )
        for metrics in (self._metrics[text], self._all):
            metrics.update(predicted, sample.mask(), sample.kind)
        series = frame.topic, request.since
        self._ids[text].add(series, target.masks(), result.instances)

    def scores(self, text: str) -> dict | None:
        """Return the scores of `ReferringSegmentation` and "ids kept", in percent; None without samples."""
        if text not in self._metrics:
            return None
        return {**self._metrics[text].compute(), "ids kept": self._ids[text].percent()}

    def coverage(self) -> dict[str, int]:
        """Return the numbers of known targets and of results that were compared with one."""
        return {"known": len(self._truth), "compared": self._scored}

    def totals(self) -> dict | None:
        """Return the scores over all requests; None without samples."""
        if not self._metrics:
            return None
        kept = KeptIds.joined(self._ids.values())
        return {**self._all.compute(), "ids kept": kept.percent()}


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


def _matching_id(mask: np.ndarray, instances: tuple[Instance, ...]) -> int | None:
    """Return the id of the instance with the highest IoU with `mask`, if it is at least MATCHING_IOU."""
    best = max(((_iou(mask, instance), instance.id) for instance in instances), default=(0.0, 0))
    return best[1] if best[0] >= MATCHING_IOU else None


def _iou(mask: np.ndarray, instance: Instance) -> float:
    predicted = np.zeros_like(mask)
    instance.paste(predicted, True)
    return mask_iou(mask, predicted)
