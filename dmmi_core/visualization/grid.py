"""A picture of pictures in rows and columns, with titles and captions."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from dmmi_core.visualization.lettering import shortened, write_text

CELL, GAP, LINE = 280, 8, 26
"""Pixels: the longest side of a picture, the space between pictures, the height of a line of text."""
SCALE = 0.5
BLACK, GREY = (20, 20, 20), (100, 100, 100)


class Row(NamedTuple):
    """A line of text, and a picture, uint8 RGB (H, W, 3), with a caption below it for each column."""

    heading: str
    cells: Sequence[tuple[np.ndarray, str]]


def picture_grid(titles: Sequence[str], rows: Sequence[Row]) -> np.ndarray:
    """Return a picture, uint8 RGB (H, W, 3), of a row of titles and the rows below it."""
    width = GAP + len(titles) * (CELL + GAP)
    parts = [_texts(titles, width, BLACK)]
    for row in rows:
        parts.append(_text(row.heading, width))
        parts.append(_pictures([_shrunk(picture) for picture, _ in row.cells], width))
        parts.append(_texts([caption for _, caption in row.cells], width, GREY))
    return np.concatenate([*parts, _blank(GAP, width)])


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def _text(text: str, width: int) -> np.ndarray:
    line = _blank(LINE, width)
    line[0] = 200  # a rule
    write_text(line, shortened(text, SCALE, room=width - 2 * GAP), (GAP, LINE - 8), SCALE, BLACK)
    return line


def _texts(texts: Sequence[str], width: int, colour: tuple[int, int, int]) -> np.ndarray:
    line = _blank(LINE, width)
    for column, text in enumerate(texts):
        write_text(line, shortened(text, SCALE, room=CELL), (_left(column), LINE - 8), SCALE, colour)
    return line


def _pictures(pictures: Sequence[np.ndarray], width: int) -> np.ndarray:
    band = _blank(max(len(picture) for picture in pictures), width)
    for column, picture in enumerate(pictures):
        left = _left(column)
        band[: len(picture), left : left + picture.shape[1]] = picture
    return band


def _left(column: int) -> int:
    return GAP + column * (CELL + GAP)


def _shrunk(picture: np.ndarray) -> np.ndarray:
    """Resize a picture so that its longer side is CELL."""
    scale = CELL / max(picture.shape[:2])
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
