"""Images from files: an image file, a folder of image files, or a video."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.data.samples import read_image_file
from dmmi_core.errors import InputError

FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".bmp": "bmp", ".webp": "webp", ".tif": "tiff"}
"""Suffixes of image files and the formats that CompressedImage names."""


@dataclass(frozen=True)
class FileImage:
    """An image, uint8 BGR (H, W, 3), and the bytes and `format` of its file; a video frame has none."""

    bgr: np.ndarray
    encoded: bytes | None = None
    format: str = ""


def open_images(source: Path) -> tuple[Iterator[FileImage], float | None]:
    """Return the images of a file or folder, by name, or the frames of a video and its rate in Hz.

    Raises `InputError`, also during iteration.
    """
    if source.is_dir():
        try:
            paths = sorted(path for path in source.iterdir() if path.suffix.lower() in FORMATS)
        except OSError as error:
            raise InputError(f"cannot read {source}: {error.strerror}") from error
        if not paths:
            raise InputError(f"no pictures in folder {source}; known are {', '.join(FORMATS)}")
        return map(_read, paths), None
    if not source.is_file():
        raise InputError(f"no such picture, folder of pictures or video: {source}")
    if source.suffix.lower() in FORMATS:
        return iter([_read(source)]), None
    return _open_video(source)


def _read(path: Path) -> FileImage:
    # Ignore the EXIF orientation, as receivers of the file in a CompressedImage do.
    bgr, data = read_image_file(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return FileImage(bgr, data.tobytes(), FORMATS[path.suffix.lower()])


def _open_video(path: Path) -> tuple[Iterator[FileImage], float]:
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    if not video.isOpened() or not rate > 0:
        raise InputError(f"not a video that can be read: {path}")

    def frames() -> Iterator[FileImage]:
        while (read := video.read())[0]:
            yield FileImage(read[1])
        video.release()

    return frames(), rate
