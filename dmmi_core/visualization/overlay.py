"""Overlay of a result on its image."""

import cv2
import numpy as np

from dmmi_core.result import Instance, Result, Status
from dmmi_core.visualization.lettering import shortened, text_width, write_text

# RGB colours that most colour-blind people can tell apart; instances cycle through them.
PALETTE = ((0, 158, 255), (255, 122, 0), (0, 200, 120), (240, 60, 150), (250, 220, 40), (150, 90, 255))
TINT = 0.45
WHITE = (255, 255, 255)
STATUS_COLOUR = {Status.NO_TARGET: (255, 176, 64), Status.ONE: (120, 230, 150), Status.MANY: (120, 230, 150)}


def draw_overlay(image: np.ndarray, result: Result) -> np.ndarray:
    """Return a copy of `image`, uint8 RGB (H, W, 3), with tinted, outlined instances and a caption.

    The caption covers the bottom rows, so that the picture has the size of the image.
    """
    canvas = np.ascontiguousarray(image).copy()
    for index, instance in enumerate(result.instances):
        _draw_instance(canvas, instance, colour=PALETTE[index % len(PALETTE)])
    _draw_caption(canvas, result)
    return canvas


def _draw_instance(canvas: np.ndarray, instance: Instance, *, colour: tuple[int, int, int]) -> None:
    roi, mask = instance.roi, instance.mask
    region = canvas[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width]
    region[mask] = (region[mask] * (1 - TINT) + np.array(colour) * TINT).astype(np.uint8)
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(roi.x, roi.y)
    )
    thickness = max(1, canvas.shape[0] // 240)
    cv2.drawContours(canvas, contours, -1, WHITE, thickness + 2, cv2.LINE_AA)
    cv2.drawContours(canvas, contours, -1, colour, thickness, cv2.LINE_AA)


def _draw_caption(canvas: np.ndarray, result: Result) -> None:
    height, width = canvas.shape[:2]
    bar = max(16, height // 14)
    canvas[-bar:] //= 4
    scale, margin = bar / 46, bar // 3
    status = _status_text(result)
    status_left = width - margin - text_width(status, scale)
    text = shortened(result.text, scale, room=status_left - 2 * margin)
    baseline = height - bar // 3
    write_text(canvas, text, (margin, baseline), scale, WHITE)
    write_text(canvas, status, (status_left, baseline), scale, STATUS_COLOUR[result.status])


def _status_text(result: Result) -> str:
    found = "no target" if result.status == Status.NO_TARGET else f"{len(result.instances)} found"
    return f"{found}, presence {result.presence:.2f}"


def tinted(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return a copy of `image` with a mask, bool (h, w) of any size, tinted and outlined."""
    resized = cv2.resize(mask.astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    picture, inside = image.copy(), resized.astype(bool)
    picture[inside] = (picture[inside] * (1 - TINT) + np.array(colour) * TINT).astype(np.uint8)
    contours, _ = cv2.findContours(resized, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, 2, cv2.LINE_AA)
    return picture
