"""Return freed memory to the system."""

import ctypes
import gc
import sys
from contextlib import suppress


def free_memory() -> None:
    """Collect garbage and return the freed memory of CPU and GPU to the system."""
    gc.collect()
    with suppress(AttributeError):  # only glibc has it; it returns the holes that a freed model leaves
        ctypes.CDLL(None).malloc_trim(0)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()  # PyTorch caches freed memory otherwise
