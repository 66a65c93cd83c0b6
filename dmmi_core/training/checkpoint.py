"""The resumable state of a training: the last two checkpoints, written atomically and checked when read."""

import logging
import os
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import torch

from dmmi_core.checkpoints.pretrained import read_weights
from dmmi_core.errors import ModelError
from dmmi_core.files import replaced_file

logger = logging.getLogger(__name__)
LAST, PREVIOUS = "training.pt", "training.previous.pt"


def save_state(state: dict, folder: Path) -> None:
    """`state` becomes the last checkpoint, and what was the last becomes the previous one."""
    last = folder / LAST
    with replaced_file(last) as new:
        torch.save(state, new)
        if last.exists():
            os.replace(last, folder / PREVIOUS)


def load_state(folder: Path, device: torch.device) -> dict | None:
    """The last checkpoint, or the previous one where that is damaged; None where there is none.

    Raises ModelError where both are damaged.
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


def _check(path: Path) -> None:
    """Against the checksums that are in the file: a flipped bit would otherwise be loaded."""
    try:
        with ZipFile(path) as file:
            broken = file.testzip()
    except (OSError, BadZipFile) as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    if broken is not None:
        raise ModelError(f"{path} is damaged: {broken} has another checksum")
