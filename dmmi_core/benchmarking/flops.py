"""Floating point operations of a frame, and the peak rate of the device."""

import time
from dataclasses import replace
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.inference_network import FrameNetwork
from dmmi_core.engines.torch_engine import DTYPES
from dmmi_core.model import Dmmi
from dmmi_core.model.dmmi import EncodedText
from dmmi_core.model.nanodet import CLASSES

SIDES = {"cpu": 2048, "cuda": 8192}
"""Side of the square matrices that are multiplied to measure the peak, by the type of device."""
PEAK_RUNS = 20


def gflop_of_frame(config: DmmiConfig, engine: str = "torch") -> float:
    """Return the operations for one image and an encoded text, in GFLOP.

    A multiply-add counts as two operations, as in PyTorch's counter. All engines but "torch" run
    `FrameNetwork`, which computes the same with fewer operations.
    """
    side = config.image_size
    with torch.device("meta"):  # shapes are enough
        model = Dmmi(replace(config, reconstruct=False, contrast=False)).eval()
        text = torch.randn(1, config.max_tokens, config.hidden_size)
        mask = torch.ones(1, config.max_tokens, dtype=torch.bool)
        categories = torch.randn(1, CLASSES) if config.guide else None
        network: nn.Module = model if engine == "torch" else FrameNetwork(model)
        inputs: tuple[Any, ...]
        if engine == "torch":
            inputs = (torch.randn(1, 3, side, side), EncodedText(text, categories), mask)
        else:
            image = torch.zeros(1, side, side, 3, dtype=torch.uint8)
            image_of = torch.zeros(1, dtype=torch.int64)
            inputs = (image, text, mask, image_of, categories)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(*inputs)
    return counter.get_total_flops() / 1e9


@cache
def peak_gflops(device: str, precision: str) -> float:
    """Return the highest measured rate of a large matrix multiplication, in GFLOP/s.

    It is also measured as a convolution, which on a CPU runs in another library that can be twice as fast.
    """
    side = SIDES[device.partition(":")[0]]
    a, b = (torch.randn(side, side, device=device, dtype=DTYPES[precision]) for _ in range(2))
    pixels = a.reshape(1, 1, side, side).permute(0, 3, 1, 2)
    products = (lambda: a @ b, lambda: F.conv2d(pixels, b[:, :, None, None]))
    seconds = []
    with torch.inference_mode():
        for multiply in products * PEAK_RUNS:
            start = time.perf_counter()
            multiply()
            if a.is_cuda:
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds) / 1e9
