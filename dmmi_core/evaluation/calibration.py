"""Calibration of the presence head: its temperature, and the threshold below which there is no target."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.classification import binary_calibration_error

from dmmi_core.checkpoints.saved_network import load_model
from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.data.samples import Sample
from dmmi_core.data.sources import held_out_samples, held_out_scenes
from dmmi_core.data.synthesis.hard_validation import hard_validation_samples
from dmmi_core.errors import InputError, ModelError
from dmmi_core.evaluation.evaluate import Prediction, evaluate
from dmmi_core.segmenter import Segmenter

BINS = 15
THRESHOLDS = np.arange(1, 100) / 100


@dataclass(frozen=True)
class Calibration:
    """A fitted temperature and threshold, and the figures that they lead to."""

    temperature: float
    threshold: float
    ece_before: float
    """Expected calibration error in percent, with temperature 1."""
    ece_after: float
    """Expected calibration error in percent, with `temperature`."""
    precision: list[float]
    """Precision of presence in percent, for each of THRESHOLDS."""
    recall: list[float]
    """Recall of presence in percent, for each of THRESHOLDS."""
    n_acc: float
    """Percentage of one-to-zero samples that `threshold` rejects, or whose mask is empty anyway."""
    t_acc: float
    """Percentage of the other samples that are not rejected and have a mask."""


def calibration_samples(data: DataRecipe) -> list[Sample]:
    """Return the validation split; for templates also the hard one, whose one-to-zero texts nearly fit."""
    samples = list(held_out_samples(data))
    if data.from_templates:
        samples += hard_validation_samples(held_out_scenes(data), data.images)
    return sorted(samples, key=lambda sample: sample.image)


def calibrate(
    folder: Path, samples: Sequence[Sample], images: str | Path, *, device: str = "auto"
) -> Calibration:
    """Fit temperature and threshold of the model in `folder`, without changing the folder.

    Raises ModelError if the model has no presence head or its presence is uninformative, and InputError if an
    image cannot be read or all samples are of one class.
    """
    model, tokenizer = load_model(folder)
    if not model.config.presence:
        raise ModelError(f"the model in {folder} has no presence head to calibrate")
    model.config = replace(model.config, presence_temperature=1.0, presence_threshold=0.0)
    rows: list[tuple[float, bool, bool]] = []
    segmenter = Segmenter.of_network(model, tokenizer, device=device)
    evaluate(segmenter, samples, images, on_prediction=lambda prediction: rows.append(_row(prediction)))
    logits, has_target, found = torch.tensor(rows, dtype=torch.float64).reshape(-1, 3).T
    return fit(logits, has_target.bool(), found.bool())


def _row(prediction: Prediction) -> tuple[float, bool, bool]:
    """Return the presence logit, whether there is a target, and whether any pixel is predicted."""
    probability = torch.tensor(prediction.presence, dtype=torch.float64)
    has_target = prediction.example.sample.kind != "zero"
    return float(probability.logit(eps=1e-7)), has_target, bool(prediction.predicted.any())


def fit(logits: Tensor, has_target: Tensor, found: Tensor) -> Calibration:
    """Fit temperature and threshold; the threshold has the highest sum of N-acc and T-acc.

    logits float64 (N,), presence with temperature 1; has_target bool (N,), whether a sample has a target;
    found bool (N,), whether its predicted mask has any pixel. Raises InputError if all samples or none have a
    target.
    """
    if has_target.all() or not has_target.any():
        raise InputError("calibration needs samples with a target and samples without one")
    temperature = fit_temperature(logits, has_target)
    probability = torch.sigmoid(logits / temperature)
    passes = probability >= torch.from_numpy(THRESHOLDS)[:, None]
    accepted = passes & found
    n_acc = 100 - _percent(accepted[:, ~has_target])
    t_acc = _percent(accepted[:, has_target])
    best = _middle_of_best(n_acc + t_acc)
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
    """Return the most likely temperature (Guo et al. 2017). Raises ModelError if no positive one is."""
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
    """Return the expected calibration error in percent, with BINS bins of equal width."""
    return 100 * binary_calibration_error(probability, has_target.int(), n_bins=BINS, norm="l1").item()


def _percent(hits: Tensor) -> Tensor:
    return 100 * hits.double().mean(dim=-1)


def _middle_of_best(scores: Tensor) -> int:
    """Return the index in the middle of the highest scores."""
    best = torch.nonzero(scores >= scores.max() - 1e-9).flatten()
    return int(best[len(best) // 2])
