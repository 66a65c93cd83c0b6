"""Training samples as they are in a dataset, resized and otherwise unchanged, as in the paper."""

from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from dmmi_core.data.packed import PackedSamples
from dmmi_core.data.samples import read_image
from dmmi_core.data.schedule import Schedule
from dmmi_core.resizing import resize, resize_mask


class SampleDataset(Dataset):
    """Endless: item i depends on the schedule and on i alone."""

    def __init__(
        self, samples: PackedSamples, images: str | Path, size: int, schedule: Schedule, *, antialias: bool
    ):
        self.samples, self.images, self.size = samples, Path(images), size
        self.schedule, self.antialias = schedule, antialias

    def __getitem__(self, position: int) -> tuple[np.ndarray, np.ndarray, str, int]:
        """Image uint8 RGB (S, S, 3), mask bool (S, S), text, and a seed for what is drawn later."""
        sample = self.samples[self.schedule(position)]
        image = resize(read_image(self.images / sample.image), self.size, antialias=self.antialias)
        seed = np.random.default_rng([self.schedule.seed, position]).integers(2**31)
        return image, resize_mask(sample.mask(), self.size), sample.text, int(seed)
