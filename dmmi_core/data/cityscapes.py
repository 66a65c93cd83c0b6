"""Reader of Cityscapes: `leftImg8bit` with the instance ids of `gtFine`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dmmi_core.data.label_images import (
    Target,
    Targets,
    Words,
    by_word,
    paired_samples,
    region_targets,
    target,
)
from dmmi_core.data.samples import Sample
from dmmi_core.errors import InputError

IMAGES, LABELS = "leftImg8bit", "gtFine"
SUFFIX = "_gtFine_instanceIds.png"
FIRST_INSTANCE = 1000
"""Ids from here on are 1000 times the label plus the number of the instance; lower ones are labels."""
WORDS = Words(
    things={
        24: "pedestrian",
        25: "rider",
        26: "car",
        27: "truck",
        28: "bus",
        31: "train",
        32: "motorcycle",
        33: "bicycle",
    },
    regions={7: "road", 8: "sidewalk", 11: "building", 21: "vegetation", 23: "sky"},
)
"""Words for the labels of Cityscapes that people would ask for."""


def read_cityscapes(folder: str | Path, split: str, words: Words = WORDS) -> Iterator[Sample]:
    """Yield the samples of a split, with images named relative to `image_folder`.

    `folder` has `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png` and `gtFine/SPLIT/CITY/*_gtFine_instanceIds.png`.
    A group of things that the annotators did not split counts as one object and is asked for in the plural.
    Raises InputError if the split is
    missing.
    """
    images, labels = image_folder(folder, split), Path(folder) / LABELS / split
    found = sorted(labels.glob(f"*/*{SUFFIX}"))
    if not found:
        known = sorted(path.name for path in labels.parent.glob("*") if path.is_dir())
        raise InputError(f"no */*{SUFFIX} in {labels}; splits there: {', '.join(known) or 'none'}")
    pairs = [
        (images / path.parent.name / path.name.replace(SUFFIX, f"_{IMAGES}.png"), path) for path in found
    ]
    yield from paired_samples(images, pairs, lambda ids: _targets(ids, words))


def image_folder(folder: str | Path, split: str) -> Path:
    """Return the folder of the images of a split."""
    return Path(folder) / IMAGES / split


def _targets(ids: np.ndarray, words: Words) -> tuple[Targets, Targets]:
    """Return the instances of each thing and the regions in an image of instance ids, int (H, W)."""
    labels = np.where(ids >= FIRST_INSTANCE, ids // FIRST_INSTANCE, ids)
    things: dict[str, list[Target]] = {}
    for word, values in by_word(words.things).items():
        present = np.unique(ids[np.isin(labels, values)])
        things[word] = [target(ids == number, parted=number >= FIRST_INSTANCE) for number in present]
    return things, region_targets(labels, words)
