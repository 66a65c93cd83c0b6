"""Ground truth, from a samples file or from a topic of label images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dmmi_core.data.jsonl import read_lines
from dmmi_core.data.samples import Sample, decode_segmentation, encode_mask, is_whole, kind_of
from dmmi_core.errors import InputError
from dmmi_ros.bags.reader import Bag
from dmmi_ros.conversion.decoding import rows_of

_LABEL_BYTES = {"mono8": 1, "8UC1": 1, "mono16": 2, "16UC1": 2}


@dataclass(frozen=True)
class Target:
    """The objects that a request refers to in a frame; `ids` identify those of `sample` over all frames."""

    sample: Sample
    ids: tuple[int, ...]

    def masks(self) -> dict[int, np.ndarray]:
        """Return the mask of each object, bool (H, W), by its id."""
        height, width = self.sample.height, self.sample.width
        return {
            id_: decode_segmentation(segmentation, height, width)
            for id_, segmentation in zip(self.ids, self.sample.segmentations, strict=True)
        }


Targets = dict[tuple[str, int | None, str | None], Target]


class GroundTruth:
    """Targets by topic, stamp in nanoseconds, and text; a text of None stands for any."""

    def __init__(self, targets: Targets):
        self._targets = targets

    def __len__(self) -> int:
        """Return the number of targets."""
        return len(self._targets)

    def target(self, topic: str, stamp: int | None, text: str) -> Target | None:
        """Return the target of a frame and a text, if it is known."""
        return self._targets.get((topic, stamp, text)) or self._targets.get((topic, stamp, None))


def read_ground_truth(path: Path) -> GroundTruth:
    """Read a samples file. Raises `InputError` that names the file and the line of the first mistake."""
    targets: Targets = {}

    def add(entry: Any) -> None:
        key, target = _parse(entry)
        if key in targets:
            raise InputError("this topic, stamp and text were there before")
        targets[key] = target

    read_lines(path, add)
    return GroundTruth(targets)


def _parse(entry: Any) -> tuple[tuple[str, int, str], Target]:
    if not isinstance(entry, dict):
        raise InputError("a sample is a JSON object")
    topic, stamp = entry.pop("topic", None), entry.pop("stamp", None)
    ids = entry.pop("ids", None)
    if not isinstance(topic, str) or type(stamp) is not int:
        raise InputError(f'"topic" must be a text and "stamp" nanoseconds, not {topic!r} and {stamp!r}')
    sample = Sample(**{"image": "", **entry})
    if not all(is_whole(item, sample.height, sample.width) for item in sample.segmentations):
        raise InputError("the runs of an RLE are broken, or do not add up to the image")
    count = len(sample.segmentations)
    ids = list(range(count)) if ids is None else ids
    are_numbers = isinstance(ids, list) and all(type(id_) is int for id_ in ids)
    if not are_numbers or not len(ids) == len(set(ids)) == count:
        raise InputError('"ids" must be different numbers, one for each segmentation')
    return (topic, stamp, sample.text), Target(sample, tuple(ids))


def read_label_topic(bag: Bag, label_topic: str, image_topic: str) -> GroundTruth:
    """Read label images, 0 background and n object n, with the stamps of the images on `image_topic`.

    Raises `InputError`.
    """
    bag.choose([label_topic])
    targets: Targets = {}
    for frame in bag.frames([label_topic]):
        if frame.message is None or not hasattr(frame.message, "encoding"):
            raise InputError(f"{label_topic!r} must hold raw label images")
        key = image_topic, frame.stamp, None
        if key in targets:
            raise InputError(f"two label images on {label_topic!r} have the stamp {frame.stamp} ns")
        targets[key] = _target_of_labels(_labels(frame.message))
    return GroundTruth(targets)


def _labels(message: Any) -> np.ndarray:
    rows = np.ascontiguousarray(rows_of(message, _LABEL_BYTES))
    if _LABEL_BYTES[message.encoding] == 1:
        return rows
    return rows.view(np.dtype(np.uint16).newbyteorder(">" if message.is_bigendian else "<"))


def _target_of_labels(labels: np.ndarray) -> Target:
    ids = tuple(int(id_) for id_ in np.unique(labels) if id_)
    height, width = labels.shape
    segmentations = tuple(encode_mask(labels == id_) for id_ in ids)
    return Target(Sample("", "", kind_of(len(ids)), height, width, segmentations), ids)
