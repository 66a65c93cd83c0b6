"""Images in the orientation that their annotations are for."""

from pathlib import Path

import cv2
import numpy as np

from dmmi_core.data.samples import read_image, read_image_file
from dmmi_core.errors import InputError


def read_annotated_image(path: str | Path, height: int, width: int) -> np.ndarray:
    """Return an image whose annotation is for `height` x `width` pixels, uint8 RGB (height, width, 3).

    COCO-style annotations are for the pixels as they are stored, whatever orientation EXIF names; other tools
    annotate the image as it is shown. The size of the annotation decides between the two. If both fit, as for
    squares and half turns, the pixels are taken as stored.

    Raises InputError if the file cannot be read or neither size fits.
    """
    stored = read_image_file(path, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)[0]
    if stored.shape[:2] == (height, width):
        return stored
    if stored.shape[:2] == (width, height):
        shown = read_image(path)
        if shown.shape[:2] == (height, width):
            return shown
    rows, columns = stored.shape[:2]
    raise InputError(f"{path} is {columns} x {rows}, but its annotation says {width} x {height}")
