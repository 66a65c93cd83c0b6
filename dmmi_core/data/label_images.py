"""Samples of zero, one and many targets from label images, whose pixels are classes or instances."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml
from PIL import Image, UnidentifiedImageError

from dmmi_core.data.lexicon.names import plural
from dmmi_core.data.samples import Sample, encode_mask, kind_of
from dmmi_core.errors import InputError, one_line

logger = logging.getLogger(__name__)
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
ZERO_TEXTS = 3
"""Most one-to-zero samples of an image; without a limit, absent classes would outnumber the others."""
MIDDLE = 0.04
"""Half the width of the middle strip, as a fraction of the image: an object whose centre is in it is on no
side."""
EXAMPLES = 3


@dataclass(frozen=True)
class Words:
    """Words for the labels of a label image; labels without a word are background."""

    things: Mapping[int, str]
    """Nouns in the singular, of what is counted: "car"."""
    regions: Mapping[int, str]
    """Nouns of what is not: "road"."""


class Target(NamedTuple):
    """An object or region of a label image."""

    segmentation: dict
    """Compressed COCO RLE."""
    x: float
    """Centre of its box, as a fraction of the image's width."""
    parted: bool
    """Whether it is surely one object, and not several that the labels do not tell apart."""


Targets = Mapping[str, Sequence[Target]]
"""Targets by word; a word without any is known to be absent."""


def read_words(path: str | Path) -> Words:
    """Read the YAML file of `Words`, with the sections `things` and `regions`. Raises InputError."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {one_line(error)}") from error
    if not isinstance(values, dict) or not values or not set(values) <= {"things", "regions"}:
        raise InputError(f"{path} must have the sections things and regions, each of label: word")
    sections = {name: values.get(name) or {} for name in ("things", "regions")}
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise InputError(f"{path}: {name} is not a mapping of label: word")
        for label, word in section.items():
            if type(label) is not int or not isinstance(word, str) or not word.strip():
                raise InputError(f"{path}: {name} has {label!r}: {word!r}; it must be number: word")
    if both := sorted(set(sections["things"]) & set(sections["regions"])):
        raise InputError(f"{path}: label {both[0]} is among things and regions")
    return Words(**sections)


def label_image_samples(images: Path, labels: Path, words: Words) -> Iterator[Sample]:
    """Yield the samples of a folder of images and one of label images with the same names.

    A label image is an image of one channel, or with a palette, of the size of its image. As it does not tell
    objects of a class apart, each connected part of a thing counts as one, and texts about things are in the
    plural. Raises InputError if no label image has an image.
    """
    pairs = [(_image_of(images / path.relative_to(labels)), path) for path in sorted(labels.rglob("*.png"))]
    if not pairs:
        raise InputError(f"no label images (*.png) in {labels}")
    yield from paired_samples(images, pairs, lambda found: _parts(found, words))


def paired_samples(
    folder: Path,
    pairs: Iterable[tuple[Path | None, Path]],
    targets_of: Callable[[np.ndarray], tuple[Targets, Targets]],
) -> Iterator[Sample]:
    """Yield the samples of pairs of an image, or None, and its label image.

    `targets_of` maps the labels, int (H, W), to the targets among things and among regions. Images are named
    relative to `folder`. Pairs that lack a file or whose sizes differ are left out with a warning; raises
    InputError if that leaves none.
    """
    left_out, count = [], 0
    for image, path in pairs:
        try:
            found = _read_labels(path, image)
        except InputError as error:
            left_out.append(str(error))
            continue
        assert image is not None
        count += 1
        things, regions = targets_of(found)
        yield from image_samples(image.relative_to(folder).as_posix(), found.shape, things, regions)
    if left_out:
        said = f"{len(left_out)} label images are left out ({'; '.join(left_out[:EXAMPLES])})"
        if not count:
            raise InputError(f"all {said}")
        logger.warning("%s", said)


def image_samples(image: str, size: tuple[int, ...], things: Targets, regions: Targets) -> list[Sample]:
    """Return the samples of one image of `size` (H, W): of what is in it, and some of what is not.

    Each thing is asked for as a whole ("the cars") and by side, if none is in the middle ("the car on the
    left"), in the singular if it is surely one. What is drawn depends on the image's name alone.
    """
    rng = np.random.default_rng(list(image.encode()))
    present: dict[str, Sequence[Target]] = {}
    absent: list[str] = []
    for word, targets in things.items():
        if not targets:
            absent.append(f"the {plural(word) if rng.random() < 0.5 else word}")
            continue
        present[f"the {_noun(word, targets)}"] = targets
        for side, those in _sides(targets).items():
            if those:
                present[f"the {_noun(word, those)} on the {side}"] = those
            else:
                absent.append(f"the {word} on the {side}")
    for word, targets in regions.items():
        if targets:
            present[f"the {word}"] = targets
        else:
            absent.append(f"the {word}")
    drawn = [absent[i] for i in sorted(rng.permutation(len(absent))[:ZERO_TEXTS])]
    height, width = size
    return [
        Sample(image, text, kind_of(len(those)), height, width, tuple(t.segmentation for t in those))
        for text, those in (present | dict.fromkeys(drawn, ())).items()
    ]


def target(mask: np.ndarray, *, parted: bool = True) -> Target:
    """Return the target with a mask, bool (H, W), of at least one pixel."""
    x, _, width, _ = cv2.boundingRect(mask.view(np.uint8))
    return Target(encode_mask(mask), (x + width / 2) / mask.shape[1], parted)


def by_word(words: Mapping[int, str]) -> dict[str, list[int]]:
    """Return the labels of each word."""
    labels = defaultdict(list)
    for label, word in words.items():
        labels[word].append(label)
    return dict(labels)


def region_targets(labels: np.ndarray, words: Words) -> Targets:
    """Return the one target of each region that occurs in `labels`, int (H, W)."""
    masks = {word: np.isin(labels, values) for word, values in by_word(words.regions).items()}
    return {word: [target(mask)] if mask.any() else [] for word, mask in masks.items()}


def _parts(labels: np.ndarray, words: Words) -> tuple[Targets, Targets]:
    """Return each connected part of a thing, and each region."""
    things = {}
    for word, values in by_word(words.things).items():
        count, parts = cv2.connectedComponents(np.isin(labels, values).astype(np.uint8))
        things[word] = [target(parts == number, parted=False) for number in range(1, count)]
    return things, region_targets(labels, words)


def _noun(word: str, targets: Sequence[Target]) -> str:
    return word if len(targets) == 1 and targets[0].parted else plural(word)


def _sides(targets: Sequence[Target]) -> dict[str, list[Target]]:
    """Return the targets on each side; nothing if one is in the middle."""
    if any(abs(item.x - 0.5) <= MIDDLE for item in targets):
        return {}
    return {
        "left": [item for item in targets if item.x < 0.5],
        "right": [item for item in targets if item.x > 0.5],
    }


def _image_of(path: Path) -> Path | None:
    """Return the image that is named like a label image, whatever its suffix."""
    return next((image for s in IMAGE_SUFFIXES if (image := path.with_suffix(s)).is_file()), None)


def _read_labels(path: Path, image: Path | None) -> np.ndarray:
    """Read a label image, int (H, W). Raises InputError if it cannot be read or does not fit its image."""
    if image is None or not image.is_file():
        raise InputError(f"{path} has no image")
    try:
        with Image.open(path) as file:
            labels = np.array(file)  # Pillow keeps the indices of a palette, which OpenCV replaces
        with Image.open(image) as file:
            size = file.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise InputError(f"{path} or its image cannot be read: {one_line(error)}") from error
    if labels.ndim != 2:
        raise InputError(f"{path} has colours, not one label for each pixel")
    if labels.shape[::-1] != size:
        raise InputError(f"{path} is {labels.shape[1]} x {labels.shape[0]}, its image {size[0]} x {size[1]}")
    return labels.astype(np.int64)
