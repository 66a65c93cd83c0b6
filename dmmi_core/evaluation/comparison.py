"""Answers of several models to the same samples, as a web page and a picture (Figure 4 of the paper)."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import cv2

from dmmi_core.errors import InputError
from dmmi_core.evaluation.evaluate import Prediction
from dmmi_core.evaluation.side_by_side import side_by_side
from dmmi_core.files import replaced_file
from dmmi_core.visualization.grid import Row, picture_grid
from dmmi_core.visualization.html import figure, write_page

Answers = Mapping[str, Sequence[Prediction]]
"""Predictions by model, all for the same samples in the same order."""


def write_comparison(folder: Path, answers: Answers) -> tuple[Path, Path]:
    """Write `comparison.html` and `comparison.png` into `folder`; return their paths.

    Raises InputError if that fails.
    """
    page, picture = folder / "comparison.html", folder / "comparison.png"
    cases = [
        dict(zip(answers, predictions, strict=True)) for predictions in zip(*answers.values(), strict=True)
    ]
    rows = [_row(case) for case in cases]
    titles = ["image", "ground truth", *answers]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replaced_file(picture) as new:
            _, data = cv2.imencode(".png", picture_grid(titles, rows)[..., ::-1])
            new.write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(f"cannot write {picture}: {error.strerror}") from error
    write_page(page, ", ".join(answers), _table(cases), [_section(titles, row) for row in rows])
    return page, picture


def _row(case: Mapping[str, Prediction]) -> Row:
    sample = next(iter(case.values())).example.sample
    captions = ["", sample.kind, *(_said(prediction) for prediction in case.values())]
    return Row(sample.text, list(zip(side_by_side(case).values(), captions, strict=True)))


def _said(prediction: Prediction) -> str:
    found = f"IoU {100 * prediction.iou:.0f} %" if prediction.predicted.any() else "no target"
    return found if prediction.presence is None else f"{found}, presence {prediction.presence:.2f}"


def _table(cases: Sequence[Mapping[str, Prediction]]) -> list[list[str]]:
    """Return the IoU of every answer in percent, 100 for a one-to-zero sample that is rejected."""
    rows = [
        [case_sample.text, case_sample.kind, *(f"{100 * item.iou:.1f}" for item in case.values())]
        for case in cases
        for case_sample in [next(iter(case.values())).example.sample]
    ]
    return [["IoU, %", "kind", *next(iter(cases))], *rows]


def _section(titles: Sequence[str], row: Row) -> str:
    figures = "".join(
        figure(picture, alt=escape(title), caption=f"{title}: {said}" if said else title)
        for title, (picture, said) in zip(titles, row.cells, strict=True)
    )
    return f"<section><h2>{escape(row.heading)}</h2><div>{figures}</div></section>"
