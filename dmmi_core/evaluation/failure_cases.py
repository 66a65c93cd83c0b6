"""A self-contained web page of the worst predictions of a model."""

from heapq import heappush, heapreplace
from html import escape
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object

from dmmi_core.evaluation.evaluate import Prediction
from dmmi_core.evaluation.metrics import table
from dmmi_core.evaluation.side_by_side import side_by_side
from dmmi_core.visualization.html import figure, write_page


class FailureCases:
    """Collection of the `size` predictions with the lowest IoU; among equals, those of the first samples."""

    def __init__(self, size: int):
        self.size = size
        self._entries: list[tuple[float, int, str]] = []
        """Heap of negative IoU, negative index and HTML; the first entry is the next to drop."""

    def add(self, prediction: Prediction) -> None:
        """Keep the prediction if it is among the worst so far."""
        rank = (-prediction.iou, -prediction.example.index)
        if len(self._entries) < self.size:
            heappush(self._entries, (*rank, _section(prediction)))
        elif rank > self._entries[0][:2]:
            heapreplace(self._entries, (*rank, _section(prediction)))

    def gather(self) -> None:
        """Merge the collections of all processes into each; every process must call this."""
        entries = sorted(gather_object(self._entries))  # ascending, and so a heap
        self._entries = entries[-self.size :]

    def write(self, path: str | Path, title: str, scores: dict[str, Any]) -> None:
        """Write the web page, with `scores` from `evaluate`. Raises InputError if that fails."""
        sections = [html for *_, html in sorted(self._entries, reverse=True)]
        heading = f"<p>The {len(sections)} predictions with the lowest IoU, worst first.</p>"
        write_page(path, title, table(scores), [heading, *sections])


def _section(prediction: Prediction) -> str:
    sample = prediction.example.sample
    presence = "" if prediction.presence is None else f" · presence {prediction.presence:.2f}"
    pictures = side_by_side({"prediction": prediction})
    figures = "".join(figure(picture, alt=name, caption=name) for name, picture in pictures.items())
    return (
        f"<section><h2>{escape(sample.text)}</h2>"
        f"<p>IoU {100 * prediction.iou:.1f} % · {sample.kind}{presence} · {escape(sample.image)}</p>"
        f"<div>{figures}</div></section>"
    )
