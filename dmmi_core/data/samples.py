"""The samples file: one JSON object per line, for training, evaluation and tools."""

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from dmmi_core.data.left_out import LeftOut
from dmmi_core.errors import InputError, one_line

KINDS = ("zero", "one", "many")
LONGEST_SIDE = 65_535
"""Longest side of an image, in pixels, as in JPEG."""


def kind_of(count: int) -> str:
    """Return the kind of a sample that refers to `count` objects."""
    return KINDS[min(count, 2)]


@dataclass(frozen=True)
class Sample:
    """An image, a text, and the objects that the text refers to: none, one or many.

    `segmentations` has one COCO segmentation per object: a list of polygons [x, y, x, y, ...] in
    pixels, or an RLE {"size": [h, w], "counts": ...}.
    """

    image: str
    text: str
    kind: str
    height: int
    width: int
    segmentations: tuple

    def __post_init__(self) -> None:
        for name, kind in (("image", str), ("text", str), ("height", int), ("width", int)):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"{name} is {getattr(self, name)!r}; it must be {kind.__name__}")
        if min(self.height, self.width) < 1 or max(self.height, self.width) > LONGEST_SIDE:
            raise InputError(f"the size is {self.width} x {self.height}")
        object.__setattr__(self, "segmentations", tuple(self.segmentations))  # JSON has lists
        for segmentation in self.segmentations:
            _require_segmentation(segmentation, self.height, self.width)
        if self.kind not in KINDS:
            raise InputError(f"kind is {self.kind!r}; it must be one of {', '.join(KINDS)}")
        if (self.kind == "zero") != (len(self.segmentations) == 0):
            raise InputError(f"a sample of kind {self.kind!r} has {len(self.segmentations)} segmentations")

    def objects(self) -> list[np.ndarray]:
        """Return the mask of each object, bool (height, width). Raises InputError for a damaged RLE."""
        if not all(is_whole(item, self.height, self.width) for item in self.segmentations):
            raise InputError(f"{self.image}, {self.text!r}: the RLE of a segmentation is damaged")
        return [decode_segmentation(item, self.height, self.width) for item in self.segmentations]

    def mask(self) -> np.ndarray:
        """Return the union of the objects, bool (height, width). Raises InputError as `objects`."""
        union = np.zeros((self.height, self.width), bool)
        for item in self.objects():
            union |= item
        return union


def _require_segmentation(segmentation: Any, height: int, width: int) -> None:
    if not _is_segmentation(segmentation, height, width):
        raise InputError("a segmentation is neither polygons about the image nor an RLE of its size")


def _is_segmentation(segmentation: Any, height: int, width: int) -> bool:
    if isinstance(segmentation, dict):
        counts = segmentation.get("counts")
        runs = isinstance(counts, list) and _sum(counts) == height * width and min(counts) >= 0
        letters = isinstance(counts, str) and counts.isascii()
        return segmentation.get("size") == [height, width] and (runs or letters)
    if not isinstance(segmentation, list) or not segmentation:
        return False
    return all(_is_polygon(polygon, max(height, width)) for polygon in segmentation)


def _is_polygon(polygon: Any, side: int) -> bool:
    """Return whether a value is a polygon at most `side` outside a square of that side.

    A farther one would cost pycocotools gigabytes.
    """
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        return False
    return math.isfinite(_sum(polygon)) and -side <= min(polygon) and max(polygon) <= 2 * side


def _sum(numbers: list) -> float:
    """Return the sum, or NaN if an item is not a number; the fastest check of all items."""
    try:
        return float(sum(numbers))
    except (TypeError, OverflowError):
        return math.nan


def coco_segmentation(outline: list | dict, height: int, width: int) -> list | dict:
    """Convert a segmentation of a COCO file, which may list RLEs, to the form of `Sample`; [] if empty.

    Raises InputError for a damaged one: pycocotools fills the memory for a polygon with NaN.
    """
    parts = outline if isinstance(outline, list) else [outline]
    parts = [part for part in parts if not _is_flat(part)]
    for part in parts:
        _require_segmentation(part if isinstance(part, dict) else [part], height, width)
    if not any(isinstance(part, dict) for part in parts):
        return parts
    if len(parts) == 1:
        return parts[0]
    masks = [decode_segmentation(p if isinstance(p, dict) else [p], height, width) for p in parts]
    return encode_mask(np.any(masks, axis=0))


def _is_flat(part: Any) -> bool:
    """Return whether a part of a segmentation has less than three points, and so no area."""
    return isinstance(part, list) and len(part) < 6


def decode_segmentation(segmentation: list | dict, height: int, width: int) -> np.ndarray:
    """Decode one COCO segmentation, polygons or RLE, to bool (height, width)."""
    if isinstance(segmentation, dict):
        if isinstance(segmentation["counts"], list):
            segmentation = coco_mask.frPyObjects(segmentation, height, width)
        return coco_mask.decode(segmentation).astype(bool)
    rles = coco_mask.frPyObjects(segmentation, height, width)
    return coco_mask.decode(coco_mask.merge(rles)).astype(bool)


def is_whole(segmentation: list | dict, height: int, width: int) -> bool:
    """Return whether the runs of a compressed RLE cover the image; pycocotools leaves the rest uninitialised.

    True for all other segmentations, which `Sample` checks itself. This check is slower.
    """
    if not isinstance(segmentation, dict) or isinstance(segmentation["counts"], list):
        return True
    runs = _runs(segmentation["counts"])
    return bool(runs) and min(runs) >= 0 and sum(runs) == height * width


def _runs(letters: str) -> list[int]:
    """Return the run lengths of a compressed RLE; [] if it is not one.

    A letter holds five bits of a number, the lowest first; its sixth bit says that more follow. The highest
    bit of the last letter is the sign. From the fourth on, numbers are differences to the last but one.
    """
    runs: list[int] = []
    number = bits = 0
    for letter in letters:
        code = ord(letter) - ord("0")
        if not 0 <= code < 64:
            return []
        number |= (code & 31) << bits
        bits += 5
        if not code & 32:
            number -= (code & 16) << bits - 4
            runs.append(number + (runs[-2] if len(runs) > 2 else 0))
            number = bits = 0
    return runs if not bits else []


def encode_mask(mask: np.ndarray) -> dict:
    """Encode bool (H, W) as a compressed COCO RLE that JSON can hold."""
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in rle["size"]], "counts": rle["counts"].decode("ascii")}


def write_samples(path: str | Path, samples: Iterable[Sample]) -> None:
    """Write a samples file."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(sample)) + "\n" for sample in samples)


def read_samples(path: str | Path) -> list[Sample]:
    """Read a samples file. Raises InputError that names the file and the line of the first bad sample."""
    return list(iterate_samples(path))


def iterate_samples(path: str | Path, left_out: LeftOut | None = None) -> Iterator[Sample]:
    """Yield the samples of a file one by one. Raises InputError as `read_samples`.

    With `left_out`, bad samples are left out, and reported at the end.
    """
    number = 0
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    sample = Sample(**json.loads(line))
                except (TypeError, ValueError, RecursionError) as error:
                    if left_out is None:
                        raise InputError(f"{path}, line {number}: not a sample: {one_line(error)}") from error
                    left_out.add(number, InputError(f"not a sample: {one_line(error)}"))
                else:
                    yield sample
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if left_out is not None:
        left_out.report(path, number)


def read_image(path: str | Path) -> np.ndarray:
    """Read any image that OpenCV reads, as uint8 RGB (H, W, 3). Raises InputError.

    Grey, 16-bit and transparent images are converted.
    """
    return cv2.cvtColor(read_image_file(path, cv2.IMREAD_COLOR)[0], cv2.COLOR_BGR2RGB)


def read_image_file(path: str | Path, flags: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image decoded with OpenCV's `flags`, and the bytes of its file, uint8. Raises InputError."""
    if not os.path.isfile(path):
        raise InputError(f"no such image file: {path}")
    try:
        data = np.fromfile(path, np.uint8)
        image = cv2.imdecode(data, flags) if data.size else None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except cv2.error as error:  # such as a size that OpenCV does not allow
        raise InputError(f"not an image that can be read: {path}: {one_line(error)}") from error
    if image is None:
        raise InputError(f"not an image that can be read: {path}")
    return image, data
