"""Training samples of a dataset, resized and otherwise unchanged, as in the paper."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from dmmi_core.data.annotated_image import read_annotated_image
from dmmi_core.data.left_out import BAD_SHARE, UnreadableImages
from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.data.sampler import TrainingSampler
from dmmi_core.data.samples import Sample
from dmmi_core.data.target import Target, make_target
from dmmi_core.errors import InputError
from dmmi_core.resizing import resize, resize_labels


class SampleDataset(Dataset):
    """A dataset without end: item i depends on the sampler and on i alone.

    A sample whose image cannot be read, or has another size than its annotation, is replaced by the next one
    of its kind. Raises InputError if more than `bad_share` of the images are like that.
    """

    def __init__(
        self,
        samples: PackedSamples,
        images: str | Path,
        size: int,
        sampler: TrainingSampler,
        *,
        antialias: bool,
        bad_share: float = BAD_SHARE,
    ):
        self.samples, self.images, self.size = samples, Path(images), size
        self.sampler, self.antialias = sampler, antialias
        self.unreadable = UnreadableImages(len(samples.images()), bad_share)

    def __getitem__(self, position: int) -> tuple[np.ndarray, Target, str, int]:
        """Return the image, uint8 RGB (S, S, 3), the target, the text, and a seed for later draws."""
        image, target, text = self._load(self.sampler(position))
        seed = np.random.default_rng([self.sampler.seed, position]).integers(2**31)
        return image, target, text, int(seed)

    def _load(self, index: int) -> tuple[np.ndarray, Target, str]:
        """Return image, target and text of a sample, or of the next one of its kind that can be read."""
        for candidate in self._candidates(index):
            sample = self.samples[candidate]
            try:
                pixels = read_annotated_image(self.images / sample.image, sample.height, sample.width)
                target = sample_target(sample, self.size)
            except InputError as error:
                self.unreadable.add(error)
            else:
                return resize(pixels, self.size, antialias=self.antialias), target, sample.text
        raise InputError(f"no image in {self.images} can be read")

    def _candidates(self, index: int) -> Iterator[int]:
        """Yield the index of a sample, then those of the others of its kind, from there on."""
        yield index
        kinds = np.roll(self.samples.kinds, -index)
        steps = np.flatnonzero(kinds == kinds[0])[1:]
        yield from ((index + steps) % len(kinds)).tolist()


def sample_target(sample: Sample, size: int) -> Target:
    """Return the target of a sample.

    Boxes are taken at the size of the image, so that an object keeps its box if resizing leaves it no pixel.
    """
    masks = sample.objects()
    boxes = [_box(mask, item, sample) for mask, item in zip(masks, sample.segmentations, strict=True)]
    target = make_target(masks, boxes, (sample.height, sample.width))
    return replace(target, labels=resize_labels(target.labels, size))


def _box(mask: np.ndarray, segmentation: list | dict, sample: Sample) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom as fractions of the image, of the polygons if the mask has no pixel."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    left, top, right, bottom = x, y, x + width, y + height
    if not width and isinstance(segmentation, list):
        points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in segmentation])
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    sides = np.array([left, top, right, bottom]) / np.tile([sample.width, sample.height], 2)
    return tuple(np.clip(sides, 0, 1).tolist())
