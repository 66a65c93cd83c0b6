"""How many operations a frame takes, and how many a second the device can do at best."""

import time
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.torch_engine import DTYPES
from dmmi_core.model import Dmmi

SIDES = {"cpu": 2048, "cuda": 8192}
"""Of the square matrices that are multiplied, by the kind of device."""


def gflop_of_frame(config: DmmiConfig) -> float:
    """Two for each multiply-add, that PyTorch's counter knows, of one image and a text kept from before."""
    with torch.device("meta"):  # shapes are enough
        model = Dmmi(replace(config, reconstruct=False, contrast=False)).eval()
        image = torch.randn(1, 3, config.image_size, config.image_size)
        text = torch.randn(1, config.max_tokens, config.hidden_size)
        mask = torch.ones(1, config.max_tokens, dtype=torch.bool)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(image, text, mask)
    return counter.get_total_flops() / 1e9


def peak_gflops(device: str, precision: str, runs: int = 20) -> float:
    """Of a large matrix multiplication, measured: the best of `runs`."""
    side = SIDES[device.partition(":")[0]]
    a, b = (torch.randn(side, side, device=device, dtype=DTYPES[precision]) for _ in range(2))
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        a @ b
        if a.is_cuda:
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds) / 1e9
