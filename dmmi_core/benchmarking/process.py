"""Start-up time and memory of one engine, measured in a process of its own.

The process has the arguments MODEL ENGINE PRECISION DEVICE. It prints "ready" after its first result, and
then its peak memory in MiB. Engines that share a process cannot be told apart.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from dmmi_core.errors import ModelError

FRAMES = 5


def start_and_memory(model: Path, engine: str, precision: str, device: str) -> dict[str, float]:
    """Return `start_s`, from the start of the process to its first result, and `memory_mib`, its peak.

    Raises ModelError if the engine does not run.
    """
    command = [sys.executable, "-m", __name__, str(model), engine, precision, device]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - start
        memory = process.stdout.readline()
    if not memory:
        raise ModelError(f"{engine} {precision} did not run in a process of its own")
    return {"start_s": seconds, "memory_mib": float(memory)}


def main() -> None:
    from dmmi_core.segmenter import Segmenter

    model, engine, precision, device = sys.argv[1:]
    segmenter = Segmenter.from_pretrained(model, engine=engine, precision=precision, device=device)
    image = np.zeros((480, 640, 3), np.uint8)
    segmenter(image, "the cups on the left")
    print("ready", flush=True)
    for _ in range(FRAMES):
        segmenter(image, "the cups on the left")
    print(_peak_mib(device), flush=True)


def _peak_mib(device: str) -> float:
    """Return the peak memory, in MiB, of the device that the network runs on."""
    if device == "cpu":
        status = Path("/proc/self/status").read_text(encoding="utf-8")  # getrusage counts the parent's too
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) / 1024
    import torch

    return torch.cuda.max_memory_reserved(device) / 2**20


if __name__ == "__main__":
    main()
