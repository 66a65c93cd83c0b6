"""Resumable training state: the last two checkpoints, written atomically and verified when read."""

import logging
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from dmmi_core.checkpoints.pretrained import read_weights
from dmmi_core.errors import ModelError
from dmmi_core.files import replaced_file

logger = logging.getLogger(__name__)
LAST, PREVIOUS = "training.pt", "training.previous.pt"


def save_state(state: dict[str, Any], folder: Path) -> None:
    """Save `state` as the last checkpoint, and keep the former last one as the previous one.

    Raises OutputError if there is no room for it; both stay as they were then.
    """
    last = folder / LAST
    with replaced_file(last, needed=_size(state)) as new:
        with new.open("wb") as file:  # PyTorch's own writer does not say why it failed
            torch.save(state, file)
        if last.exists():
            os.replace(last, folder / PREVIOUS)


def load_state(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """Return the last checkpoint, or the previous one if the last is damaged, or None if there is none.

    Raises ModelError if no undamaged one is left.
    """
    problems = []
    for path in (folder / LAST, folder / PREVIOUS):
        if not path.exists():
            continue
        try:
            _check(path)
            state = read_weights(path, device)
        except ModelError as error:
            problems.append(str(error))
            continue
        for problem in problems:
            logger.warning("%s; going on from %s", problem, path)
        return state
    if problems:
        raise ModelError(f"{'; '.join(problems)}; remove it to begin anew")
    return None


def _size(state: Any) -> int:
    """Return the bytes of all tensors."""
    if isinstance(state, torch.Tensor):
        return state.nbytes
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, (list, tuple)) else ()
    return sum(map(_size, parts))


def _check(path: Path) -> None:
    """Verify the checksums in the file, which `torch.load` ignores. Raises ModelError."""
    try:
        with ZipFile(path) as file:
            broken = file.testzip()
    except (OSError, BadZipFile) as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    if broken is not None:
        raise ModelError(f"{path} is damaged: {broken} has another checksum")
