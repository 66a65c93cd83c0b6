"""Benchmark of a case: every engine against the reference, in one process and in turn."""

import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dmmi_core.benchmarking.cases import REFERENCE, Case, model_folder
from dmmi_core.benchmarking.flops import gflop_of_frame, peak_gflops
from dmmi_core.benchmarking.process import start_and_memory
from dmmi_core.benchmarking.timing import new_text_ms, run_in_turn, summary
from dmmi_core.config import DmmiConfig
from dmmi_core.engines.engine import Engine
from dmmi_core.engines.registry import installed_version
from dmmi_core.resizing import resize
from dmmi_core.segmenter import Segmenter

logger = logging.getLogger(__name__)
PACKAGES = ("torch", "onnxruntime", "openvino", "numpy", "opencv-python-headless")


def measure(case: Case, image: np.ndarray, text: str, runs: int) -> Iterator[dict[str, Any]]:
    """Yield a row per batch size and engine, the reference first. Raises ModelError if one cannot run."""
    logger.info("measuring %s", case.model)
    with model_folder(case) as folder:
        segmenters = {
            (name, precision): Segmenter.from_pretrained(
                folder, engine=name, precision=precision, device=case.device
            )
            for name, precision in (REFERENCE, *case.engines)
        }
        model_values = _model_values(case, segmenters[REFERENCE].engine.config, image)
        engine_values = {
            pair: _engine_values(folder, segmenter, segmenters[REFERENCE], image, text, runs)
            for pair, segmenter in segmenters.items()
        }
    for batch in case.batches:
        for segmenter in segmenters.values():
            segmenter.options = replace(segmenter.options, pairs_at_once=batch)
        laps = run_in_turn(segmenters, [image.copy() for _ in range(batch)], [text] * batch, runs)
        reference_ms = summary(laps[REFERENCE])["network_ms"]
        for pair, values in laps.items():
            row = {**model_values, **engine_values[pair], **summary(values), "batch": batch}
            gflops = 1e3 * batch * row["gflop_per_image"] / row["network_ms"]
            yield {
                **row,
                "speedup": reference_ms / row["network_ms"],
                "images_per_s": 1e3 * batch / row["total_ms"],
                "share_of_peak": gflops / row["peak_gflops"],
            }


def _model_values(case: Case, config: DmmiConfig, image: np.ndarray) -> dict[str, Any]:
    return {
        "model": case.model,
        "image_size": config.image_size,
        "frame": f"{image.shape[1]} x {image.shape[0]}",
        "device": case.device,
    }


def _engine_values(
    folder: Path, segmenter: Segmenter, reference: Segmenter, image: np.ndarray, text: str, runs: int
) -> dict[str, Any]:
    """Measure what does not depend on the batch size."""
    engine = segmenter.engine
    return {
        "engine": engine.name,
        "precision": engine.precision,
        "gflop_per_image": gflop_of_frame(engine.config, engine.name),
        "peak_gflops": peak_gflops(engine.device, engine.precision),
        "new_text_ms": new_text_ms(segmenter, runs),
        **start_and_memory(folder, engine.name, engine.precision, engine.device),
        **agreement(engine, reference, image, text),
    }


def agreement(engine: Engine, reference: Segmenter, image: np.ndarray, text: str) -> dict[str, float]:
    """Return `margin_error`, the largest difference of margins as a share of their range, and `mask_iou`."""
    config = engine.config
    pixels = resize(image, config.image_size, config.antialias)[None]
    pieces = reference.word_pieces(text)
    found, expected = (
        e.score(pixels, [e.encode(pieces.ids, pieces.mask)], [0]).margin for e in (engine, reference.engine)
    )
    either = ((found > 0) | (expected > 0)).sum()
    both = ((found > 0) & (expected > 0)).sum()
    return {
        "margin_error": float(np.abs(found - expected).max() / np.ptp(expected)),
        "mask_iou": float(both / either) if either else 1.0,
    }


def machine() -> dict[str, str]:
    """Return the CPU, the GPU, the threads and the versions of packages."""
    import torch

    packages = {package: installed_version(package) or "not installed" for package in PACKAGES}
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {"cpu": _cpu(), "threads": str(torch.get_num_threads()), **gpu, **packages}


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


COLUMNS = {
    "model": "model",
    "engine": "engine",
    "precision": "precision",
    "batch": "batch",
    "total_ms": "frame, ms",
    "total_p99_ms": "p99, ms",
    "preprocess_ms": "resize",
    "network_ms": "network",
    "postprocess_ms": "instances",
    "new_text_ms": "new text, ms",
    "images_per_s": "images/s",
    "speedup": "speed-up",
    "share_of_peak": "of peak",
    "start_s": "start, s",
    "memory_mib": "memory, MiB",
    "margin_error": "margin error",
    "mask_iou": "mask IoU",
}
"""Titles of the table's columns by the keys of a row."""
TRAINING_COLUMNS = {
    "model": "model",
    "precision": "precision",
    "batch": "batch",
    "step_ms": "step, ms",
    "images_per_s": "images/s",
    "gflop_per_image": "GFLOP per image",
    "share_of_peak": "of peak",
}


def table(rows: Sequence[dict[str, Any]], columns: Mapping[str, str]) -> list[list[str]]:
    """Format rows as text, under a row of titles."""
    return [list(columns.values()), *([_text(row[key]) for key in columns] for row in rows)]


def _text(value: str | int | float) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
