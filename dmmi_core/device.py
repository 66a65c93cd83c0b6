"""Where to compute."""

import torch

from dmmi_core.errors import ModelError, one_line


def select_device(name: str) -> torch.device:
    """ "auto" is the first GPU, or the CPU. Raises ModelError for a device that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"device {name!r} cannot be used: {one_line(error)}") from error
    return device
