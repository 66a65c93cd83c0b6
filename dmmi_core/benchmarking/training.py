"""Benchmark of a training step: the trainer's network, losses and optimizer, on random images."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from dmmi_core.benchmarking.flops import peak_gflops
from dmmi_core.config import preset
from dmmi_core.data.collate import Batch
from dmmi_core.engines.torch_engine import DTYPES
from dmmi_core.model import Dmmi
from dmmi_core.training.objective import Objective, weighted_sum
from dmmi_core.training.recipe import LossRecipe


class TrainingStep:
    """One optimizer step on a fixed batch, as a callable."""

    def __init__(self, name: str, *, batch: int, size: int | None, device: str):
        config = preset(name)
        config = replace(config, image_size=size or config.image_size)
        torch.manual_seed(0)
        self.device = torch.device(device)
        model = Dmmi(config).train().to(self.device).to(memory_format=torch.channels_last)
        self.objective = Objective(model)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
        self.batch = random_batch(batch, config.image_size, config.max_tokens).to(self.device)

    def __call__(self, precision: str) -> None:
        with torch.autocast(self.device.type, DTYPES[precision], enabled=precision != "fp32"):
            terms = self.objective(self.batch)
        weighted_sum(terms, LossRecipe()).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def random_batch(count: int, side: int, tokens: int) -> Batch:
    """Return `count` samples with random images and texts, and one square object each."""
    image = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8)
    ids = torch.randint(1000, 2000, (count, tokens))
    labels = torch.zeros(count, side, side, dtype=torch.uint8)
    labels[:, side // 4 : side // 2, side // 4 : side // 2] = 1
    boxes = torch.tensor([0.25, 0.25, 0.5, 0.5]).expand(count, 1, 4).contiguous()
    one = torch.ones(count, dtype=torch.int64)
    real = torch.ones_like(ids, dtype=torch.bool)
    return Batch(image, labels, boxes, one[:, None].bool(), one, ids, ids.clone(), real)


def seconds_in_turn(step: TrainingStep, precisions: Sequence[str], steps: int) -> dict[str, float]:
    """Return the median seconds of a step in each precision; the first step does not count."""
    taken: dict[str, list[float]] = {precision: [] for precision in precisions}
    for _ in range(1 + steps):
        for precision in precisions:
            start = time.perf_counter()
            step(precision)
            taken[precision].append(time.perf_counter() - start)
    return {precision: median(values[1:]) for precision, values in taken.items()}


def measure_training(
    name: str,
    *,
    batch: int,
    device: str,
    size: int | None = None,
    precisions: Sequence[str] = ("fp32", "bf16"),
    steps: int = 10,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each precision, of the preset `name`.

    Operations are counted in the forward pass, and taken as twice as many in the backward pass: PyTorch's
    counter takes the gradients of grouped convolutions for those of full ones.
    """
    step = TrainingStep(name, batch=batch, size=size, device=device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        step.objective(step.batch)
    gflop = 3 * counter.get_total_flops() / 1e9
    for precision, seconds in seconds_in_turn(step, precisions, steps).items():
        yield {
            "model": name,
            "device": device,
            "precision": precision,
            "batch": batch,
            "step_ms": 1e3 * seconds,
            "images_per_s": batch / seconds,
            "gflop_per_image": gflop / batch,
            "share_of_peak": gflop / seconds / peak_gflops(device, precision),
        }
