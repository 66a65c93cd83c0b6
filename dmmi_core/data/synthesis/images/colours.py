"""Plain colours of masked regions."""

import cv2
import numpy as np

COLOURS = ("black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
CERTAIN, TRACE = 0.5, 0.06
"""Share of a region from which on it is of a colour, and share below which it certainly is not."""
ON_A_PERSON = ("black", "white", "red", "yellow", "green", "blue", "purple")
"""Colours that refer to clothes: skin and hair do not have them, or match them together with the clothes."""
_HUES = np.array([8, 21, 34, 86, 131, 151, 172, 181])  # of OpenCV, 0 to 180: where each hue ends
_HUE_NAMES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "red")


def colour_map(image: np.ndarray) -> np.ndarray:
    """Return the index into COLOURS of each pixel of uint8 RGB (H, W, 3), int8 (H, W); -1 if in doubt."""
    hue, saturation, value = np.moveaxis(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), 2, 0)
    by_hue = np.array([COLOURS.index(name) for name in _HUE_NAMES], np.int8)
    colours = by_hue[np.searchsorted(_HUES, np.arange(181), side="right")][hue]
    named = {name: colours == COLOURS.index(name) for name in ("red", "orange")}
    colours[named["red"] & (saturation < 130) & (value > 160)] = COLOURS.index("pink")
    colours[(named["red"] | named["orange"]) & (value < 140)] = COLOURS.index("brown")
    colours[saturation < 80] = -1
    pale = saturation < 45
    colours[pale & (value >= 60)] = COLOURS.index("gray")
    colours[pale & (value > 185)] = COLOURS.index("white")
    colours[pale & (value > 160) & (value <= 185)] = -1
    colours[value < 60] = -1
    colours[value < 45] = COLOURS.index("black")
    return colours


def shares(colours: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Return the share of each colour in a region, bool (H, W), of a colour map."""
    inside = colours[mask]
    counts = np.bincount(inside[inside >= 0], minlength=len(COLOURS))
    return dict(zip(COLOURS, (counts / max(len(inside), 1)).tolist(), strict=True))
