"""Cost of evaluating bags per hour of recording, with one process and with several.

python benchmarks/bags.py [--bags 4] [--seconds 30] [--rate 10] [--workers 1 2]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))
from demo.scenes import make_scenes
from dmmi_ros.bags.from_images import write_images
from dmmi_ros.bags.writer import new_bag

HOUR = 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bags", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=30, help="of each bag")
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_bags(Path(folder), arguments)
        for workers in arguments.workers:
            measure(Path(folder), workers, arguments)


def write_bags(folder: Path, arguments: argparse.Namespace) -> None:
    """Write bags of JPEG images of 640 x 480, as cameras record them, and one command."""
    pictures = folder / "pictures"
    pictures.mkdir()
    images = [cv2.resize(scene.image[..., ::-1], (640, 480)) for scene in make_scenes()]
    for number in range(round(arguments.seconds * arguments.rate)):
        cv2.imwrite(str(pictures / f"{number:06}.jpg"), images[number % len(images)])
    for number in range(arguments.bags):
        with new_bag(folder / "bags" / str(number), storage="mcap") as bag:
            write_images(bag, pictures, topic="/image/compressed", rate=arguments.rate, compressed=True)
    (folder / "commands.jsonl").write_text('{"at": 0, "command": "the cat"}\n')


def measure(folder: Path, workers: int, arguments: argparse.Namespace) -> None:
    command = [sys.executable, "-m", "dmmi_ros.bags.cli", "evaluate", folder / "bags", "--json"]
    command += ["--commands", folder / "commands.jsonl", "--workers", str(workers)]
    began = time.perf_counter()
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    wall = time.perf_counter() - began
    figures = json.loads(done.stdout)
    recorded, frames = arguments.bags * arguments.seconds, figures["total"]["commands"][0]["frames"]
    print(
        f"{workers} workers, {figures['bags'][0]['engine']}: {frames} frames, {recorded} s of recording at "
        f"{arguments.rate:g} Hz in {wall:.1f} s; {wall / recorded:.2f} h for an hour of recording, "
        f"{1e3 * wall / frames:.1f} ms for a frame",
        flush=True,
    )


if __name__ == "__main__":
    main()
