"""How good the answers are, where the right ones are known."""

from collections import defaultdict

import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.evaluation.instance_metrics import MATCHING_IOU, mask_iou
from dmmi_core.evaluation.metrics import ReferringSegmentation
from dmmi_core.instances.grouping import union_mask
from dmmi_core.result import Instance
from dmmi_ros.bags.ground_truth import GroundTruth
from dmmi_ros.bags.outcomes import Answer


class Scoring:
    """Compares answers with the ground truth: of each request's text, and of all."""

    def __init__(self, truth: GroundTruth):
        self._truth = truth
        self._scored = 0
        self._metrics: dict[str, ReferringSegmentation] = defaultdict(ReferringSegmentation)
        self._all = ReferringSegmentation()
        self._ids: dict[str, KeptIds] = defaultdict(KeptIds)

    def add(self, answer: Answer) -> None:
        if answer.result is None:
            return
        text = answer.request.text
        target = self._truth.target(answer.frame.topic, answer.frame.stamp, text)
        if target is None:
            return
        self._scored += 1
        sample, predicted = target.sample, answer.result.mask
        if predicted.shape != (sample.height, sample.width):
            height, width = predicted.shape
            raise InputError(
                f"a frame of {answer.frame.topic} is {width} x {height}, but its ground truth "
                f"{sample.width} x {sample.height}"
            )
        for metrics in (self._metrics[text], self._all):
            metrics.update(predicted, sample.mask(), sample.kind)
        series = answer.frame.topic, answer.request.since
        self._ids[text].add(series, target.masks(), answer.result.instances)

    def scores(self, text: str) -> dict | None:
        """What `ReferringSegmentation.compute` returns, and "ids kept" in percent; None without samples."""
        if text not in self._metrics:
            return None
        return {**self._metrics[text].compute(), "ids kept": self._ids[text].percent()}

    def coverage(self) -> dict[str, int]:
        """How many right answers are known, and how many answers were compared with one."""
        return {"known": len(self._truth), "compared": self._scored}

    def totals(self) -> dict | None:
        """As `scores`, of all answers."""
        if not self._metrics:
            return None
        kept = KeptIds.joined(self._ids.values())
        return {**self._all.compute(), "ids kept": kept.percent()}


class KeptIds:
    """Of the steps from one frame to the next in which an object is found in both: how many keep its id."""

    def __init__(self, steps: int = 0, kept: int = 0):
        self.steps, self.kept = steps, kept
        self._last: dict[tuple[str, int], dict[int, int]] = {}

    @classmethod
    def joined(cls, parts) -> "KeptIds":
        parts = list(parts)
        return cls(sum(part.steps for part in parts), sum(part.kept for part in parts))

    def add(
        self, series: tuple[str, int], objects: dict[int, np.ndarray], instances: tuple[Instance, ...]
    ) -> None:
        """The next frame of a series, by topic and `Request.since`: between two of them ids need not hold.

        `objects` are masks, bool (H, W), by their names, `instances` what was found there.
        """
        found = {
            name: id_ for name, mask in objects.items() if (id_ := _found_id(mask, instances)) is not None
        }
        last = self._last.get(series, {})
        common = found.keys() & last.keys()
        self.steps += len(common)
        self.kept += sum(found[name] == last[name] for name in common)
        self._last[series] = found

    def percent(self) -> float | None:
        return 100 * self.kept / self.steps if self.steps else None


def _found_id(mask: np.ndarray, instances: tuple[Instance, ...]) -> int | None:
    """The id of the instance that overlaps the object most, if enough."""
    wholes = ((union_mask((instance,), *mask.shape), instance.id) for instance in instances)
    best = max(((mask_iou(mask, whole), id_) for whole, id_ in wholes), default=(0.0, 0))
    return best[1] if best[0] >= MATCHING_IOU else None
