"""Training samples as they are in a dataset, resized and otherwise unchanged, as in the paper."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from dmmi_core.data.packed import PackedSamples
from dmmi_core.data.sampler import Schedule
from dmmi_core.data.samples import Sample, read_image
from dmmi_core.data.target import Target, make_target
from dmmi_core.resizing import resize, resize_labels


class SampleDataset(Dataset):
    """Endless: item i depends on the schedule and on i alone."""

    def __init__(
        self, samples: PackedSamples, images: str | Path, size: int, schedule: Schedule, *, antialias: bool
    ):
        self.samples, self.images, self.size = samples, Path(images), size
        self.schedule, self.antialias = schedule, antialias

    def __getitem__(self, position: int) -> tuple[np.ndarray, Target, str, int]:
        """Image uint8 RGB (S, S, 3), target, text, and a seed for what is drawn later."""
        sample = self.samples[self.schedule(position)]
        image = resize(read_image(self.images / sample.image), self.size, antialias=self.antialias)
        seed = np.random.default_rng([self.schedule.seed, position]).integers(2**31)
        return image, sample_target(sample, self.size), sample.text, int(seed)


def sample_target(sample: Sample, size: int) -> Target:
    """Drawn and boxed at the size of the photograph: of a small object the box stays, if no pixel does."""
    masks = sample.objects()
    boxes = [_box(mask, item, sample) for mask, item in zip(masks, sample.segmentations, strict=True)]
    target = make_target(masks, boxes, (sample.height, sample.width))
    return replace(target, labels=resize_labels(target.labels, size))


def _box(mask: np.ndarray, segmentation: list | dict, sample: Sample) -> tuple[float, float, float, float]:
    """Left, top, right, bottom, as fractions of the photograph; without a pixel, those of the polygons."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    right, bottom = left + width, top + height
    if not width and isinstance(segmentation, list):
        points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in segmentation])
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    sides = np.array([left, top, right, bottom]) / np.tile([sample.width, sample.height], 2)
    return tuple(np.clip(sides, 0, 1).tolist())
