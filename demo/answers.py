"""Draws the picture of the model card anew, of the demonstration's photographs: `python demo/answers.py`."""

from pathlib import Path

import cv2
import numpy as np
from scenes import make_scenes

from dmmi_core import Segmenter
from dmmi_core.result import Result
from dmmi_core.visualization.overlay import draw_overlay

ROOT = Path(__file__).parents[1]

PICTURE = ROOT / "models" / "dmmi-lite" / "answers.jpg"
HEIGHT, WIDTH, LINE, COLUMNS = 240, 330, 26, 4
ASKED = {
    "cat": ("the cat", "the dog", "the car"),
    "astronaut": ("the person", "the person in orange", "the elephant"),
    "motorcycle": ("the motorcycle", "the bicycle"),
    "two cats": ("the two cats", "the cat on the left"),
    "pair": ("the cat", "the woman"),
}


def tile(image: np.ndarray, result: Result) -> np.ndarray:
    """uint8 RGB: the answer drawn on its picture, and below it the text and how many were found."""
    scale = min(HEIGHT / image.shape[0], WIDTH / image.shape[1])
    drawn = cv2.resize(draw_overlay(image, result), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    page = np.full((HEIGHT + LINE, WIDTH, 3), 255, np.uint8)
    page[: drawn.shape[0], : drawn.shape[1]] = drawn
    found = f"{len(result.instances)} found" if result.instances else "no target"
    said, place = f"{result.text}: {found}", (4, HEIGHT + LINE - 8)
    cv2.putText(page, said, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return page


def main() -> None:
    segmenter = Segmenter.from_pretrained("dmmi-lite", engine="torch", device="cpu")
    tiles = [
        tile(scene.image, segmenter(scene.image, text))
        for scene in make_scenes()
        for text in ASKED[scene.name]
    ]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(PICTURE), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
