"""Print parameters, floating point operations and CPU latency of the presets as a Markdown table.

    python benchmarks/presets.py [--size 448] [--runs 5] [--threads 2] [PRESET ...]

The figures are of inference with one image of --size and an encoded text of 20 tokens. A multiply-add counts
as two operations, as in PyTorch's counter. The presets run in turn, so that other load on the machine affects
all alike.
"""

import argparse
import time
from dataclasses import replace
from statistics import median

import torch

from dmmi_core.benchmarking.flops import gflop_of_frame
from dmmi_core.config import PRESETS, preset
from dmmi_core.model import Dmmi
from dmmi_core.model.dmmi import EncodedText
from dmmi_core.model.nanodet import CLASSES

TOKENS = 20


def make(name: str, device: str) -> Dmmi:
    """Return a preset with random weights, without its training-only parts."""
    torch.manual_seed(0)
    with torch.device(device):
        return Dmmi(replace(preset(name), reconstruct=False, contrast=False)).eval()


def inputs(model: Dmmi, size: int) -> tuple[torch.Tensor, EncodedText, torch.Tensor]:
    """Return a random image, a random encoded text and its mask."""
    features = torch.randn(1, TOKENS, model.config.hidden_size)
    categories = torch.randn(1, CLASSES) if model.config.guide else None
    mask = torch.ones(1, TOKENS, dtype=torch.bool)
    return torch.randn(1, 3, size, size), EncodedText(features, categories), mask


def latencies(names: list[str], size: int, runs: int) -> dict[str, list[float]]:
    """Return the seconds of each run; the first run of each preset does not count."""
    models = {name: make(name, "cpu") for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(runs + 1):
        for name, model in models.items():
            arguments = inputs(model, size)
            started = time.perf_counter()
            model(*arguments)
            seconds[name].append(time.perf_counter() - started)
    return {name: values[1:] for name, values in seconds.items()}


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("presets", nargs="*", default=list(PRESETS), metavar="PRESET")
    parser.add_argument("--size", type=int, default=448)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    measured = latencies(arguments.presets, arguments.size, arguments.runs)
    print("| preset | parameters | of those the text encoder | GFLOPs | CPU, s: median (least) |")
    print("|---|---|---|---|---|")
    for name, seconds in measured.items():
        model = make(name, "meta")
        count, text = (sum(p.numel() for p in m.parameters()) / 1e6 for m in (model, model.text))
        giga = gflop_of_frame(replace(preset(name), image_size=arguments.size))
        times = f"{median(seconds):.2f} ({min(seconds):.2f})"
        print(f"| `{name}` | {count:.1f} M | {text:.1f} M | {giga:.1f} | {times} |")


if __name__ == "__main__":
    main()
