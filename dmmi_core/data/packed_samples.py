"""Hundreds of thousands of samples, in memory that a loader's processes share."""

import json
import operator
from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from dmmi_core.data.samples import KINDS, Sample


class PackedSamples(Sequence[Sample]):
    """A sequence of samples, stored as bytes in a tensor.

    Workers, forked or spawned, read the same memory. Python objects would be copied into every worker as it
    touches their reference counts.
    """

    def __init__(self, records: "_Records", rows: torch.Tensor, kinds: np.ndarray):
        """`rows` int64 (N, 3): positions in `records` of the image, objects and text of each sample."""
        self._records, self._rows = records, rows
        self.kinds = kinds
        """uint8 (N,), indices into KINDS."""
        self.groups = np.unique(rows[:, 1].numpy(), return_inverse=True)[1]
        """int64 (N,), from 0 on without gaps; the sentences for the same objects share a group."""

    @classmethod
    def pack(cls, samples: Iterable[tuple[Hashable, Sample]]) -> "PackedSamples":
        """Pack pairs of a group and a sample; the samples of a group differ in nothing but their text."""
        records, rows, kinds = _Writer(), array("q"), bytearray()
        images: dict[str, int] = {}
        groups: dict[Hashable, int] = {}
        for group, sample in samples:
            if sample.image not in images:
                images[sample.image] = records.add(sample.image)
            if group not in groups:
                groups[group] = records.add([sample.height, sample.width, sample.segmentations])
            rows.extend((images[sample.image], groups[group], records.add(sample.text)))
            kinds.append(KINDS.index(sample.kind))
        return cls(
            records.finish(),
            torch.from_numpy(np.array(rows, np.int64).reshape(-1, 3)),
            np.array(kinds, np.uint8),
        )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]  # `select` takes subsets
        image, objects, text = (self._records[row] for row in self._rows[operator.index(index)].tolist())
        return Sample(image, text, KINDS[self.kinds[index]], *objects)

    def select(self, which: np.ndarray) -> "PackedSamples":
        """Return some of the samples, in the same memory; `which` is bool (N,), or indices in any order."""
        rows = torch.from_numpy(self._rows.numpy()[which])
        return PackedSamples(self._records, rows, self.kinds[which])

    def images(self) -> list[str]:
        """Return the names of the images, each once."""
        return [self._records[row] for row in np.unique(self._rows[:, 0].numpy())]

    def image_numbers(self) -> np.ndarray:
        """Return the index into `images()` of each sample's image, int64 (N,)."""
        return np.unique(self._rows[:, 0].numpy(), return_inverse=True)[1]


def grouped_by_objects(samples: Iterable[Sample]) -> Iterator[tuple[Hashable, Sample]]:
    """Yield pairs for `PackedSamples.pack`; samples of one image and the same objects are a group.

    Every one-to-zero sample is a group of its own.
    """
    for number, sample in enumerate(samples):
        shared = sample.kind != "zero"
        yield (sample.image, json.dumps(sample.segmentations)) if shared else number, sample


class _Writer:
    def __init__(self) -> None:
        self.data, self.ends = bytearray(), array("q", [0])

    def add(self, value: Any) -> int:
        """Append a JSON value and return its position."""
        self.data += json.dumps(value, separators=(",", ":")).encode()
        self.ends.append(len(self.data))
        return len(self.ends) - 2

    def finish(self) -> "_Records":
        return _Records(np.frombuffer(self.data, np.uint8), np.array(self.ends))


class _Records:
    """JSON values as bytes, one after the other.

    They are in tensors, since torch moves tensors to shared memory when it hands them to a spawned process.
    """

    def __init__(self, data: np.ndarray, ends: np.ndarray):
        self._data, self._ends = torch.from_numpy(data), torch.from_numpy(ends)

    def __getitem__(self, row: int) -> Any:
        start, end = self._ends[row : row + 2].tolist()
        return json.loads(self._data[start:end].numpy().tobytes())
