"""Scores a model on samples, through the same `Segmenter` that users call, at the photographs' own size."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from dmmi_core.data.samples import Sample, read_image
from dmmi_core.errors import InputError
from dmmi_core.metrics import Metrics
from dmmi_core.segmenter import Segmenter


def evaluate(
    segmenter: Segmenter,
    samples: Sequence[Sample],
    images: str | Path,
    *,
    on_progress: Callable[[int], None] = lambda done: None,
) -> dict[str, float | int | None]:
    """What `Metrics.compute` returns, over all samples. Raises InputError for an image that does not fit."""
    metrics, done = Metrics(), 0
    for name, grouped in groupby(samples, key=lambda sample: sample.image):  # each photograph is read once
        image, group = read_image(Path(images) / name), list(grouped)
        results = segmenter.batch([image] * len(group), [sample.text for sample in group])
        for sample, result in zip(group, results, strict=True):
            if image.shape[:2] != (sample.height, sample.width):
                raise InputError(
                    f"{name} is {image.shape[1]} x {image.shape[0]}, "
                    f"but its sample says {sample.width} x {sample.height}"
                )
            metrics.update(result.mask, sample.mask(), sample.kind)
        done += len(group)
        on_progress(done)
    return metrics.compute()
