"""Evaluation of a model on samples through the `Segmenter` that users call, in one process or several."""

import logging
import operator
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from dmmi_core.data.annotated_image import read_annotated_image
from dmmi_core.data.left_out import examples as first_few
from dmmi_core.data.samples import Sample
from dmmi_core.distributed import gather_list, rank, world_size
from dmmi_core.errors import InputError
from dmmi_core.evaluation.instance_metrics import InstanceDetection
from dmmi_core.evaluation.metrics import ReferringSegmentation, overlap, sample_iou
from dmmi_core.instances.grouping import union_mask
from dmmi_core.resizing import resize_mask
from dmmi_core.segmenter import Segmenter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """A sample with its image and mask."""

    index: int
    """Index of the sample among all."""
    sample: Sample
    image: np.ndarray
    """uint8 RGB (H, W, 3)."""
    target: np.ndarray
    """bool (H, W)."""


@dataclass(frozen=True)
class Prediction:
    """Target and prediction for an example, as they are scored."""

    example: Example
    target: np.ndarray
    """bool (h, w), which need not be the size of the image."""
    predicted: np.ndarray
    """bool (h, w)."""
    presence: float | None
    """Probability of any target; None if the protocol does not use it."""
    instances: tuple[np.ndarray, ...] = ()
    """Masks of the predicted instances, bool (h, w); grouping leaves out small and uncertain parts of
    `predicted`."""

    @property
    def iou(self) -> float:
        """IoU in [0, 1] by `sample_iou`."""
        intersection, union, _ = overlap(self.predicted, self.target)
        return sample_iou(intersection, union, self.example.sample.kind)


@dataclass(frozen=True)
class EvaluationProtocol:
    """A way to predict and to count."""

    predict: Callable[[Segmenter, Sequence[Example]], list[Prediction]]
    thresholds: tuple[float, ...]
    """Values of X in Prec@X."""
    exceeds: Callable[[float, float], bool]
    """Comparison of an IoU with an X."""
    has_instances: bool
    """Whether predictions have instances."""


def _native(segmenter: Segmenter, examples: Sequence[Example]) -> list[Prediction]:
    """Return the foreground before grouping, and the instances that users get, at the size of the images."""
    results = segmenter.batch([e.image for e in examples], [e.sample.text for e in examples])
    return [
        Prediction(
            example,
            example.target,
            result.mask if result.foreground is None else result.foreground,
            result.presence,
            tuple(union_mask((instance,), *result.mask.shape) for instance in result.instances),
        )
        for example, result in zip(examples, results, strict=True)
    ]


def _released(segmenter: Segmenter, examples: Sequence[Example]) -> list[Prediction]:
    """Return the masks of the network alone, at its own size."""
    masks = segmenter.foreground([e.image for e in examples], [e.sample.text for e in examples])
    return [
        Prediction(example, resize_mask(example.target, len(mask)), mask, None)
        for example, mask in zip(examples, masks, strict=True)
    ]


PROTOCOLS = {
    "native": EvaluationProtocol(_native, (0.5, 0.7, 0.9), operator.gt, has_instances=True),
    "released": EvaluationProtocol(_released, (0.5, 0.6, 0.7, 0.8, 0.9), operator.ge, has_instances=False),
}
"""The paper's metrics (5.2) at the size of the images, and those that the authors' code prints.

In both, the mask that is scored has every pixel that the network calls foreground, before instances are made
of it: the paper's Acc asks that all points are background. "native" heeds the presence head, which is part of
the network's answer; "released" has none."""


def evaluate(
    segmenter: Segmenter,
    samples: Sequence[Sample],
    images: str | Path,
    *,
    protocol: str = "native",
    batch_size: int = 8,
    workers: int = 2,
    on_prediction: Callable[[Prediction], None] = lambda prediction: None,
) -> dict[str, Any]:
    """Score a model on samples.

    If torch.distributed is initialised, every process must call this; each scores a part of the samples.

    Args:
        segmenter: the model.
        samples: all samples. An image is read once for consecutive samples of it.
        images: folder of the samples' images.
        protocol: a key of PROTOCOLS.
        batch_size: pairs of image and text that run at a time.
        workers: threads that load images.
        on_prediction: callback, called with each prediction of this process.

    Returns:
        The scores of `ReferringSegmentation.compute` and `InstanceDetection.compute`, in percent, over the
        samples of all processes.

    Raises:
        InputError: the protocol is unknown, or no image can be used. Samples whose image is missing, cannot
            be read or has another size than its sample are left out; one warning counts them.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol is {protocol!r}; it must be one of {', '.join(PROTOCOLS)}")
    rules = PROTOCOLS[protocol]
    metrics = ReferringSegmentation(rules.thresholds, rules.exceeds).to(segmenter.device)
    detection = InstanceDetection().to(segmenter.device)
    part = local_range(len(samples), batch_size)
    unusable: list[str] = []
    examples = _load(((i, samples[i]) for i in part), Path(images), workers, unusable)
    while batch := list(islice(examples, batch_size)):
        for prediction in rules.predict(segmenter, batch):
            sample = prediction.example.sample
            metrics.update(prediction.predicted, prediction.target, sample.kind)
            if rules.has_instances:
                detection.update(prediction.instances, sample.objects(), sample.kind)
            on_prediction(prediction)
    _report(gather_list(unusable), len(samples))
    with warnings.catch_warnings():
        # torchmetrics warns if there was no sample; all scores are None then.
        warnings.simplefilter("ignore", UserWarning)
        return _joined(metrics.compute(), detection.compute())


def _report(unusable: list[str], total: int) -> None:
    """Warn once of the samples that were left out, by their reasons. Raises InputError if none is left."""
    if not unusable:
        return
    text = f"{len(unusable)} of {total} samples cannot be used: {first_few(unusable)}"
    if len(unusable) == total:
        raise InputError(text)
    if rank() == 0:
        logger.warning("%s; left out", text)


def _joined(scores: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    by_kind = {kind: own | more["by_kind"][kind] for kind, own in scores["by_kind"].items()}
    return scores | more | {"by_kind": by_kind}


def local_range(count: int, batch_size: int) -> range:
    """Return the indices of this process's samples.

    They are whole batches, so that no score depends on the number of processes.
    """
    batches = -(-count // batch_size)
    start, stop = (batches * r // world_size() * batch_size for r in (rank(), rank() + 1))
    return range(count)[start:stop]


def _load(
    numbered: Iterable[tuple[int, Sample]], images: Path, workers: int, unusable: list[str]
) -> Iterator[Example]:
    """Yield examples in the order of the samples, reading a few images ahead.

    Appends to `unusable` the reason for each sample that is left out.
    """

    def finished(future: Future[tuple[list[Example], list[str]]]) -> list[Example]:
        examples, reasons = future.result()
        unusable.extend(reasons)
        return examples

    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[tuple[list[Example], list[str]]]] = deque()
        for name, group in groupby(numbered, key=lambda item: item[1].image):
            waiting.append(pool.submit(_read, images / name, list(group)))
            if len(waiting) > 2 * workers:
                yield from finished(waiting.popleft())
        while waiting:
            yield from finished(waiting.popleft())


def _read(path: Path, group: Sequence[tuple[int, Sample]]) -> tuple[list[Example], list[str]]:
    """Return the examples of one image, and the reasons why samples of it cannot be used."""
    examples, reasons = [], []
    image = cache(partial(read_annotated_image, path))
    for index, sample in group:
        try:
            examples.append(Example(index, sample, image(sample.height, sample.width), sample.mask()))
        except InputError as error:
            reasons.append(str(error))
    return examples, reasons
