"""Text in pictures, in OpenCV's font, which has the letters of ASCII only."""

import cv2
import numpy as np

Colour = tuple[int, int, int]
LONGEST_TEXT = 200
"""Characters; no picture has room for more."""
FONT = cv2.FONT_HERSHEY_DUPLEX


def write_text(
    canvas: np.ndarray, text: str, position: tuple[int, int], scale: float, colour: Colour
) -> None:
    """Write a line into `canvas`, uint8 RGB (H, W, 3); `position` is x and y of the baseline's left end."""
    cv2.putText(canvas, text, position, FONT, scale, colour, 1, cv2.LINE_AA)


def text_width(text: str, scale: float) -> int:
    """Return the width of a line in pixels."""
    return cv2.getTextSize(text, FONT, scale, 1)[0][0]


def shortened(text: str, scale: float, *, room: int) -> str:
    """Cut `text` to one line of at most `room` pixels."""
    text = " ".join(text.split())[:LONGEST_TEXT]
    if text_width(text, scale) <= room:
        return text
    while text and text_width(f"{text}...", scale) > room:
        text = text[:-1]
    return f"{text}..." if text else ""
