"""Calibrates the presence head: a temperature, and the probability below which there is no target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.classification import binary_calibration_error

from dmmi_core.checkpoints.checkpoint import load_model
from dmmi_core.data.recipe import DataRecipe
from dmmi_core.data.samples import Sample
from dmmi_core.data.sources import held_out_samples, held_out_scenes
from dmmi_core.data.synthesis.hard_validation import hard_validation_samples
from dmmi_core.errors import InputError, ModelError
from dmmi_core.evaluation.evaluate import Answer, evaluate
from dmmi_core.segmenter import Segmenter

BINS = 15
THRESHOLDS = np.arange(1, 100) / 100


@dataclass(frozen=True)
class Calibration:
    temperature: float
    threshold: float
    ece_before: float
    """Expected calibration error in percent, with temperature 1."""
    ece_after: float
    precision: list[float]
    """In percent, for each of THRESHOLDS: of the samples that pass it, how many have a target."""
    recall: list[float]
    """In percent: of the samples that have a target, how many pass it."""
    n_acc: float
    """Percent of the zero samples that are rejected with `threshold`, or have an empty mask anyway."""
    t_acc: float
    """Percent of the others that are answered."""


def calibration_samples(data: DataRecipe) -> list[Sample]:
    """The validation split; of templates also the hard one, whose one-to-zero texts nearly fit."""
    samples = list(held_out_samples(data))
    if data.from_templates:
        samples += hard_validation_samples(held_out_scenes(data), data.images)
    return sorted(samples, key=lambda sample: sample.image)


def calibrate(
    folder: Path, samples: Sequence[Sample], images: str | Path, *, device: str = "auto"
) -> Calibration:
    """Fits temperature and threshold of the model in `folder`, which is not changed.

    Raises ModelError or InputError.
    """
    model, tokenizer = load_model(folder)
    if not model.config.presence:
        raise ModelError(f"the model in {folder} has no presence head to calibrate")
    model.config = replace(model.config, presence_temperature=1.0, presence_threshold=0.0)
    answers: list[tuple[float, bool, bool]] = []
    segmenter = Segmenter.of_network(model, tokenizer, device=device)
    evaluate(segmenter, samples, images, on_answer=_remember(answers))
    logits, has_target, found = torch.tensor(answers, dtype=torch.float64).reshape(-1, 3).T
    return fit(logits, has_target.bool(), found.bool())


def _remember(answers: list[tuple[float, bool, bool]]) -> Callable[[Answer], None]:
    """Of each answer the logit of presence, whether there is a target, and whether any pixel was found."""

    def on_answer(answer: Answer) -> None:
        probability = torch.tensor(answer.presence, dtype=torch.float64)
        has_target = answer.question.sample.kind != "zero"
        answers.append((probability.logit(eps=1e-7).item(), has_target, answer.predicted.any()))

    return on_answer


def fit(logits: Tensor, has_target: Tensor, found: Tensor) -> Calibration:
    """Logits float64 (N,); whether the sample has a target, and whether its mask has any pixel, bool (N,)."""
    if has_target.all() or not has_target.any():
        raise InputError("calibration needs samples with a target and samples without one")
    temperature = fit_temperature(logits, has_target)
    probability = torch.sigmoid(logits / temperature)
    passes = probability >= torch.from_numpy(THRESHOLDS)[:, None]
    answered = passes & found
    n_acc = 100 - _percent(answered[:, ~has_target])
    t_acc = _percent(answered[:, has_target])
    best = _middle_of_the_best(n_acc + t_acc)
    return Calibration(
        temperature=temperature,
        threshold=float(THRESHOLDS[best]),
        ece_before=expected_calibration_error(torch.sigmoid(logits), has_target),
        ece_after=expected_calibration_error(probability, has_target),
        precision=[_percent(has_target[row]).item() if row.any() else 100.0 for row in passes],
        recall=_percent(passes[:, has_target]).tolist(),
        n_acc=n_acc[best].item(),
        t_acc=t_acc[best].item(),
    )


def fit_temperature(logits: Tensor, has_target: Tensor) -> float:
    """The one with the highest likelihood (Guo et al. 2017). Raises ModelError where there is none."""
    slope = torch.ones((), dtype=torch.float64, requires_grad=True)  # the loss is convex in 1 / temperature
    optimizer = torch.optim.LBFGS([slope], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(slope * logits, has_target.double())
        value.backward()
        return value

    optimizer.step(loss)
    if slope.item() <= 0:
        raise ModelError("the presence head does not tell samples with a target from those without")
    return 1 / slope.item()


def expected_calibration_error(probability: Tensor, has_target: Tensor) -> float:
    """In percent: how far, on average, probability is from frequency, in BINS bins of equal width."""
    return 100 * binary_calibration_error(probability, has_target.int(), n_bins=BINS, norm="l1").item()


def _percent(hits: Tensor) -> Tensor:
    return 100 * hits.double().mean(dim=-1)


def _middle_of_the_best(scores: Tensor) -> int:
    best = torch.nonzero(scores >= scores.max() - 1e-9).flatten()
    return int(best[len(best) // 2])
