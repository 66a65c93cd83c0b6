"""Log of a training: log.jsonl, TensorBoard, and a progress bar on a terminal or log lines elsewhere."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger(__name__)
LOG, TENSORBOARD = "log.jsonl", "tensorboard"


class TrainingLogger:
    """Log of a training from step `start` to step `steps`.

    `batch_size` counts the samples of all processes. Only the process with `enabled` shows and records.
    """

    def __init__(self, output: Path, *, start: int, steps: int, batch_size: int, enabled: bool):
        self._enabled, self._log = enabled, output / LOG
        self._start, self._steps, self._batch_size = start, steps, batch_size
        self._began = time.monotonic()
        self._board = _open_tensorboard(output / TENSORBOARD, start) if enabled else None
        self._bar = tqdm(
            total=steps * batch_size,
            initial=start * batch_size,
            unit=" images",
            unit_scale=True,
            smoothing=0.05,
            disable=not (enabled and sys.stderr.isatty()),
        )

    def advance(self) -> None:
        """Count one optimizer step."""
        self._bar.update(self._batch_size)

    def report(self, step: int, terms: dict[str, float], learning_rate: float) -> None:
        """Log the mean loss terms of the last steps."""
        if not self._enabled:
            return
        rate = (step - self._start) * self._batch_size / (time.monotonic() - self._began)
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in terms.items()})
        if self._bar.disable:
            text = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
            left = (self._steps - step) * self._batch_size / rate / 60
            message = "step %d/%d  %s  %.1f images/s  %.0f min left"
            logger.info(message, step, self._steps, text, rate, left)
        extra = {"learning_rate": learning_rate, "images_per_s": rate}
        self._record(step, "train", terms | extra)

    def report_scores(self, step: int, scores: dict[str, Any]) -> None:
        """Log the scores on the validation split."""
        if not self._enabled:
            return
        numbers = {name: value for name, value in scores.items() if isinstance(value, int | float)}
        text = "  ".join(f"{name} {value:.1f}" for name, value in numbers.items() if isinstance(value, float))
        tqdm.write(f"dmmi: step {step}: validation: {text}", file=sys.stderr)
        self._record(step, "validation", numbers)

    def close(self) -> None:
        self._bar.close()
        if self._board is not None:
            self._board.close()

    def _record(self, step: int, part: str, numbers: dict[str, float]) -> None:
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(f"{part}/{name}", value, step)
        values = numbers if part == "train" else {part: numbers}
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")


def _open_tensorboard(folder: Path, start: int) -> "SummaryWriter | None":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        logger.info("no TensorBoard log: pip install tensorboard")
        return None
    return SummaryWriter(str(folder), purge_step=start)
