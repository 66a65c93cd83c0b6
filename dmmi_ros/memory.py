"""Giving memory back to the system."""

import ctypes
import gc
import sys
from contextlib import suppress


def free_memory() -> None:
    """Gives back what nobody refers to any more, on the GPU too."""
    gc.collect()
    with suppress(AttributeError):  # only glibc has it; without, freed models leave their holes in the heap
        ctypes.CDLL(None).malloc_trim(0)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()  # or PyTorch keeps freed memory from other processes
