"""The worst answers of an evaluation."""

from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from itertools import count
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dmmi_core.visualization.html import figure, fitted
from dmmi_core.visualization.overlay import draw_overlay
from dmmi_ros.bags.outcomes import Outcome

if TYPE_CHECKING:  # imports PyTorch
    from dmmi_ros.bags.scoring import Comparison

KEPT = 8
"""Of each bag."""
TARGET_COLOUR = (255, 255, 255)


@dataclass(order=True)
class Answer:
    """An answer in a heap whose first entry is the next to drop."""

    rank: tuple[float, int]
    outcome: Outcome = field(compare=False)
    seconds: float = field(compare=False)
    comparison: "Comparison | None" = field(compare=False)


class WorstAnswers:
    """Collection of the `KEPT` worst answers for the bag of the name `bag`; among equals, the first ones.

    With `compared`, these are the answers with the lowest IoU among those with ground truth; without, those
    whose presence is nearest to its threshold.
    """

    def __init__(self, bag: str, *, compared: bool):
        self._bag = bag
        self._compared = compared
        self._numbers = count()
        self._answers: list[Answer] = []

    def add(self, outcome: Outcome, seconds: float, comparison: "Comparison | None") -> None:
        """Keep an outcome, at `seconds` since the start of the bag, if it is among the worst so far."""
        result = outcome.result
        if result is None or (self._compared and comparison is None):
            return
        goodness = comparison.iou if comparison else abs(result.presence - result.presence_threshold)
        answer = Answer((-goodness, -next(self._numbers)), outcome, seconds, comparison)
        if len(self._answers) < KEPT:
            heappush(self._answers, answer)
        else:
            heappushpop(self._answers, answer)

    def to_list(self, *, pictures: bool) -> list[dict[str, Any]]:
        """Return the answers, worst first, as JSON has them; with `pictures`, each also as HTML."""
        return [
            {**_to_dict(answer), **({"figure": self._figure(answer)} if pictures else {})}
            for answer in sorted(self._answers, reverse=True)
        ]

    def _figure(self, answer: Answer) -> str:
        request, comparison, result = answer.outcome.request, answer.comparison, answer.outcome.result
        assert request is not None and result is not None  # see add
        if comparison:
            verdict = f"IoU {100 * comparison.iou:.1f} %, ground truth {comparison.kind}"
        else:
            verdict = f"presence {result.presence:.2f}, threshold {result.presence_threshold:.2f}"
        place = f"{self._bag}, {answer.outcome.frame.topic}, {answer.seconds:.2f} s"
        return figure(_picture(answer), alt="answer", caption=f"{request.text}: {verdict}; {place}")


def _to_dict(answer: Answer) -> dict[str, Any]:
    result, request = answer.outcome.result, answer.outcome.request
    assert result is not None and request is not None  # see WorstAnswers.add
    comparison = answer.comparison
    return {
        "topic": answer.outcome.frame.topic,
        "seconds": answer.seconds,
        "command": request.text,
        "status": result.status.name.lower(),
        "presence": round(result.presence, 4),
        "presence_threshold": round(result.presence_threshold, 4),
        "kind": comparison.kind if comparison else None,
        "iou": comparison.iou if comparison else None,
    }


def _picture(answer: Answer) -> np.ndarray:
    """Return the answer as a picture in which the targets of the ground truth have a white line."""
    assert answer.outcome.result is not None
    picture = draw_overlay(answer.outcome.frame.image(), answer.outcome.result)
    if answer.comparison:
        target = answer.comparison.target.astype(np.uint8)
        contours, _ = cv2.findContours(target, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, contours, -1, TARGET_COLOUR, max(1, picture.shape[0] // 240), cv2.LINE_AA)
    return fitted(picture)
