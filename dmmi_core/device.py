"""Selection of the compute device."""

import ctypes
from typing import TYPE_CHECKING

from dmmi_core.errors import ModelError, one_line

if TYPE_CHECKING:
    import torch


def select_device(name: str) -> "torch.device":
    """Return the device named `name`; "auto" is the first GPU or, without one, the CPU.

    Raises ModelError if the device cannot be used.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"device {name!r} cannot be used: {one_line(error)}") from error
    return device


def device_name(name: str) -> str:
    """Return the name of `select_device(name)`, without importing PyTorch (seconds) if it is the CPU."""
    if name == "cpu" or (name == "auto" and not _has_gpu()):
        return "cpu"
    return str(select_device(name))


def _has_gpu() -> bool:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
