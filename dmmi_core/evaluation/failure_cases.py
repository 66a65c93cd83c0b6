"""The samples that a model answers worst, as a web page that needs nothing beside it."""

from heapq import heappush, heapreplace
from html import escape
from pathlib import Path

import cv2
import numpy as np
from accelerate.utils import gather_object

from dmmi_core.evaluation.evaluate import Answer
from dmmi_core.evaluation.metrics import table
from dmmi_core.visualization.html import figure, fitted, write_page
from dmmi_core.visualization.overlay import TINT

TARGET_COLOUR, PREDICTED_COLOUR = (0, 200, 120), (255, 122, 0)  # RGB


class Gallery:
    """Keeps the `size` answers of the lowest IoU that are added; of equals, those that come first."""

    def __init__(self, size: int):
        self.size = size
        self._entries: list[tuple[float, int, str]] = []
        """A heap of IoU and index, negative, and HTML: the next to drop is its first."""

    def add(self, answer: Answer) -> None:
        rank = (-answer.iou, -answer.question.index)
        if len(self._entries) < self.size:
            heappush(self._entries, (*rank, _section(answer)))
        elif rank > self._entries[0]:
            heapreplace(self._entries, (*rank, _section(answer)))

    def gather(self) -> None:
        """Makes this the gallery of what all processes added; each must call it."""
        entries = sorted(gather_object(self._entries))  # ascending, and so a heap
        self._entries = entries[-self.size :]

    def write(self, path: str | Path, title: str, scores: dict) -> None:
        """`scores` as `evaluate` returns them. Raises InputError."""
        sections = [html for *_, html in sorted(self._entries, reverse=True)]
        said = f"<p>The {len(sections)} answers with the lowest IoU, worst first.</p>"
        write_page(path, title, table(scores), [said, *sections])


def _section(answer: Answer) -> str:
    sample, image = answer.question.sample, fitted(answer.question.image)
    presence = "" if answer.presence is None else f" · presence {answer.presence:.2f}"
    pictures = {
        "image": image,
        "ground truth": _tinted(image, answer.target, TARGET_COLOUR),
        "prediction": _tinted(image, answer.predicted, PREDICTED_COLOUR),
    }
    figures = "".join(figure(picture, alt=name, caption=name) for name, picture in pictures.items())
    return (
        f"<section><h2>{escape(sample.text)}</h2>"
        f"<p>IoU {100 * answer.iou:.1f} % · {sample.kind}{presence} · {escape(sample.image)}</p>"
        f"<div>{figures}</div></section>"
    )


def _tinted(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A copy of `image` with the mask, which may have another size, in a colour and outlined."""
    mask = cv2.resize(mask.astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    picture, inside = image.copy(), mask.astype(bool)
    picture[inside] = (picture[inside] * (1 - TINT) + np.array(colour) * TINT).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, 2, cv2.LINE_AA)
    return picture
