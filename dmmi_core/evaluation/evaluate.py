"""Scores a model on samples, through the same `Segmenter` that users call, in one process or several."""

import operator
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dmmi_core.data.samples import Sample, read_image
from dmmi_core.distributed import rank, world_size
from dmmi_core.errors import InputError
from dmmi_core.evaluation.instance_metrics import InstanceDetection
from dmmi_core.evaluation.metrics import ReferringSegmentation, overlap, sample_iou
from dmmi_core.instances.grouping import union_mask
from dmmi_core.resizing import resize_mask
from dmmi_core.segmenter import Segmenter


class Question(NamedTuple):
    index: int
    """Of the sample among all."""
    sample: Sample
    image: np.ndarray
    """uint8 RGB (H, W, 3)."""
    target: np.ndarray
    """bool (H, W)."""


@dataclass(frozen=True)
class Answer:
    """What is scored: two masks, bool, of one size, which need not be that of the image."""

    question: Question
    target: np.ndarray
    predicted: np.ndarray
    presence: float | None
    """Of any target, where it has a say in the answer."""
    instances: tuple[np.ndarray, ...] = ()
    """The mask of each, bool (H, W)."""

    @property
    def iou(self) -> float:
        intersection, union, _ = overlap(self.predicted, self.target)
        return sample_iou(intersection, union, self.question.sample.kind)


@dataclass(frozen=True)
class Protocol:
    answer: Callable[[Segmenter, Sequence[Question]], list[Answer]]
    thresholds: tuple[float, ...]
    """X of Prec@X."""
    exceeds: Callable[[float, float], bool]
    """Whether an IoU counts for an X."""
    has_instances: bool
    """Whether an answer has any that can be scored."""


def _native(segmenter: Segmenter, questions: Sequence[Question]) -> list[Answer]:
    """What users get, at the photographs' own size."""
    results = segmenter.batch([q.image for q in questions], [q.sample.text for q in questions])
    return [
        Answer(q, q.target, r.mask, r.presence, tuple(union_mask((i,), *r.mask.shape) for i in r.instances))
        for q, r in zip(questions, results, strict=True)
    ]


def _released(segmenter: Segmenter, questions: Sequence[Question]) -> list[Answer]:
    """What the network alone says, at its own size."""
    masks = segmenter.foreground([q.image for q in questions], [q.sample.text for q in questions])
    return [
        Answer(q, resize_mask(q.target, len(mask)), mask, None)
        for q, mask in zip(questions, masks, strict=True)
    ]


PROTOCOLS = {
    "native": Protocol(_native, (0.5, 0.7, 0.9), operator.gt, True),
    "released": Protocol(_released, (0.5, 0.6, 0.7, 0.8, 0.9), operator.ge, False),
}
"""The paper's metrics (5.2) for the answers that users get, and those that the authors' code prints."""


def evaluate(
    segmenter: Segmenter,
    samples: Sequence[Sample],
    images: str | Path,
    *,
    protocol: str = "native",
    batch_size: int = 8,
    workers: int = 2,
    on_answer: Callable[[Answer], None] = lambda answer: None,
) -> dict[str, float | int | dict | None]:
    """What `ReferringSegmentation.compute` and `InstanceDetection.compute` return, over all samples.

    Where torch.distributed is initialised, each process answers a part of the samples, which is what its
    `on_answer` sees, and all get the same scores; all must call this. `workers` threads load the
    photographs, each once for the samples that follow one another on it.
    Raises InputError for an image that is missing or does not fit.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol is {protocol!r}; it must be one of {', '.join(PROTOCOLS)}")
    rules = PROTOCOLS[protocol]
    metrics = ReferringSegmentation(rules.thresholds, rules.exceeds).to(segmenter.device)
    detection = InstanceDetection().to(segmenter.device)
    part = own_part(len(samples), batch_size)
    questions = _load(((i, samples[i]) for i in part), Path(images), workers)
    while batch := list(islice(questions, batch_size)):
        for answer in rules.answer(segmenter, batch):
            sample = answer.question.sample
            metrics.update(answer.predicted, answer.target, sample.kind)
            if rules.has_instances:
                detection.update(answer.instances, sample.objects(), sample.kind)
            on_answer(answer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there was no update: then nothing is defined
        return _joined(metrics.compute(), detection.compute())


def _joined(scores: dict, more: dict) -> dict:
    by_kind = {kind: of | more["by_kind"][kind] for kind, of in scores["by_kind"].items()}
    return scores | more | {"by_kind": by_kind}


def own_part(count: int, batch_size: int) -> range:
    """The samples of this process: whole batches, so that no score depends on the number of processes."""
    batches = -(-count // batch_size)
    start, stop = (batches * r // world_size() * batch_size for r in (rank(), rank() + 1))
    return range(count)[start:stop]


def _load(numbered: Iterable[tuple[int, Sample]], images: Path, workers: int) -> Iterator[Question]:
    """In the order of the samples, a few photographs ahead."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[list[Question]]] = deque()
        for name, group in groupby(numbered, key=lambda item: item[1].image):
            waiting.append(pool.submit(_read, images / name, list(group)))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _read(path: Path, group: Sequence[tuple[int, Sample]]) -> list[Question]:
    image = read_image(path)
    height, width = image.shape[:2]
    for _, sample in group:
        if (height, width) != (sample.height, sample.width):
            raise InputError(
                f"{sample.image} is {width} x {height}, but its sample says {sample.width} x {sample.height}"
            )
    return [Question(index, sample, image, sample.mask()) for index, sample in group]
