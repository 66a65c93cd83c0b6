"""Measure dmmi-lite beside networks that a user might choose instead.

    python benchmarks/peers.py [--runs 7]

CLIPSeg and Grounding DINO come from transformers, in the published sizes and with random weights: time and
memory do not depend on the weights. Their answers are not judged. The networks run by turns, each in a
process of its own. Start is the time to the first answer, frame the median time for a 640 x 480 image and a
known text, memory the peak of the process.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

Run = Callable[[], object]
IMAGE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def dmmi_lite() -> Run:
    """dmmi-lite with the default engine, and all of its post-processing."""
    from dmmi_core import Segmenter

    segmenter = Segmenter.from_pretrained("dmmi-lite")
    return lambda: segmenter(IMAGE, "the cups on the left")


def clipseg() -> Run:
    """CLIPSeg rd64-refined: ViT-B/16, 352 x 352; it answers every text with one heat map."""
    import torch
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation

    config = CLIPSegConfig(vision_config={"patch_size": 16}, use_complex_transposed_convolution=True)
    network = CLIPSegForImageSegmentation(config).eval()
    ids, pixels = torch.ones(1, 8, dtype=torch.int64), torch.zeros(1, 3, 352, 352)
    return torch.inference_mode()(lambda: network(input_ids=ids, pixel_values=pixels).logits)


def grounding_dino_tiny() -> Run:
    """Grounding DINO tiny: Swin-T, 800 x 1067; it gives boxes, and no masks."""
    import torch
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

    network = GroundingDinoForObjectDetection(GroundingDinoConfig()).eval()
    ids, pixels = torch.ones(1, 8, dtype=torch.int64), torch.zeros(1, 3, 800, 1067)
    return torch.inference_mode()(lambda: network(input_ids=ids, pixel_values=pixels).logits)


PEERS = {"dmmi-lite": dmmi_lite, "CLIPSeg": clipseg, "Grounding DINO tiny": grounding_dino_tiny}


class Peer:
    """A network in a child process, which answers once for each line that it is sent."""

    def __init__(self, name: str) -> None:
        start = time.perf_counter()
        command = [sys.executable, __file__, "--child", name]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.ask()
        self.start_s = time.perf_counter() - start

    def ask(self) -> float:
        """Run the network once; return the milliseconds that it took."""
        assert self._child.stdin and self._child.stdout
        print(file=self._child.stdin, flush=True)
        return float(self._child.stdout.readline())

    def end(self) -> float:
        """End the process; return its peak memory in MiB."""
        status = Path(f"/proc/{self._child.pid}/status").read_text(encoding="utf-8")
        self._child.communicate()
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) / 1024


def serve(name: str) -> None:
    """Run a network once for each line of stdin, and print the milliseconds of each run."""
    run = PEERS[name]()
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(1e3 * (time.perf_counter() - start), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--child", choices=PEERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return serve(arguments.child)
    peers = {name: Peer(name) for name in PEERS}
    times = {name: [] for name in PEERS}
    for _ in range(arguments.runs):
        for name, peer in peers.items():
            times[name].append(peer.ask())
    print(f"{'':20} {'frame, ms':>10} {'x dmmi-lite':>12} {'start, s':>9} {'memory, MiB':>12}")
    for name, peer in peers.items():
        frame = median(times[name])
        ratio = frame / median(times["dmmi-lite"])
        print(f"{name:20} {frame:10.0f} {ratio:12.1f} {peer.start_s:9.1f} {peer.end():12.0f}")


if __name__ == "__main__":
    main()
