"""Parameters, floating point operations and CPU latency of the presets, as a Markdown table.

    python benchmarks/presets.py [--size 448] [--runs 5] [--threads 2] [PRESET ...]

What inference uses is counted, for one image of --size and a text of 20 tokens whose features are kept.
Operations are those that PyTorch's counter knows, two for each multiply-add; runs of the presets alternate,
so that another load on the machine meets all of them.
"""

import argparse
import time
from dataclasses import replace
from statistics import median

import torch

from dmmi_core.benchmarking.arithmetic import gflop_of_frame
from dmmi_core.config import PRESETS, preset
from dmmi_core.model import Dmmi

TOKENS = 20


def make(name: str, device: str) -> Dmmi:
    torch.manual_seed(0)
    with torch.device(device):
        return Dmmi(replace(preset(name), reconstruct=False, contrast=False)).eval()


def inputs(model: Dmmi, size: int, device: str) -> tuple[torch.Tensor, ...]:
    with torch.device(device):
        return (
            torch.randn(1, 3, size, size),
            torch.randn(1, TOKENS, model.config.hidden_size),
            torch.ones(1, TOKENS, dtype=torch.bool),
        )


def latencies(names: list[str], size: int, runs: int) -> dict[str, list[float]]:
    """Seconds of each run; a first one, of each, does not count."""
    models = {name: make(name, "cpu") for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(runs + 1):
        for name, model in models.items():
            arguments = inputs(model, size, "cpu")
            started = time.perf_counter()
            model(*arguments)
            seconds[name].append(time.perf_counter() - started)
    return {name: values[1:] for name, values in seconds.items()}


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
