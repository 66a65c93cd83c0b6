"""Count the images that reach another process through each transport of Fast DDS, on a busy machine.

    python benchmarks/ros_transport.py [--sizes vga 4k] [--rate 2] [--load 2] [--profile FILE ...]

A publisher and a subscriber, best effort with a depth of 5 as a camera driver and the node have, run in a
process each while `--load` other processes compute. The table has the frames that arrived and the median of
their time on the way, in milliseconds, for each repetition. `--profile` adds profiles to the shipped ones.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from dmmi_core.shipped_files import shared
from dmmi_ros.testing.node_process import Domain

SIZES = {"vga": (480, 640), "hd": (1080, 1920), "4k": (2160, 3840)}
CAMERA_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
TIMEOUT_S = 30.0
SHIPPED = [shared("config", name) for name in ("fastdds_images.xml", "fastdds_large_images.xml")]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second")
    parser.add_argument("--load", type=int, default=os.cpu_count(), help="processes that compute meanwhile")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", type=Path, nargs="*", default=[], help="other profiles of Fast DDS")
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.receive:
        receive(options.frames)
        return
    transports = {
        "default": {},
        "LARGE_DATA": {"FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA"},
        **{path.name: {"FASTDDS_DEFAULT_PROFILES_FILE": str(path)} for path in (*SHIPPED, *options.profile)},
    }
    domain = Domain()
    environment = {**os.environ, **domain.environment()}
    del environment["FASTDDS_DEFAULT_PROFILES_FILE"]
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.load)]
    try:
        print(f"| transport | {' | '.join(options.sizes)} |\n|---{'|---' * len(options.sizes)}|")
        for name, variables in transports.items():
            cells = []
            for size in options.sizes:
                runs = [measure({**environment, **variables}, size, options) for _ in range(options.repeats)]
                cells.append(", ".join(runs))
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    finally:
        for process in load:
            process.kill()


def measure(environment: dict[str, str], size: str, options: argparse.Namespace) -> str:
    """Send the frames from one process to another; return the number that arrived and the median delay."""
    program = [sys.executable, __file__, "--frames", str(options.frames)]
    with subprocess.Popen(
        [*program, "--receive"], env=environment, stdout=subprocess.PIPE, text=True
    ) as receiver:
        code = f"import ros_transport as t; t.send({size!r}, {options.frames}, {options.rate})"
        folder = Path(__file__).parent
        subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, check=True, timeout=120)
        output, _ = receiver.communicate(timeout=60)
    delays = [float(delay) for delay in output.split()]
    return f"{len(delays)}" + (f" ({statistics.median(delays):.0f} ms)" if delays else "")


def send(size: str, frames: int, rate: float) -> None:
    """Publish frames of `size` once somebody subscribes; publish their end."""
    rclpy.init()
    node = rclpy.create_node("camera")
    publisher = node.create_publisher(Image, "image", CAMERA_QOS)
    end = node.create_publisher(Image, "end", 1)
    wait_until(lambda: publisher.get_subscription_count() and end.get_subscription_count())
    height, width = SIZES[size]
    message = Image(height=height, width=width, encoding="rgb8", step=3 * width)
    message.data = array("B", os.urandom(3 * width)) * height
    start = time.monotonic() + 0.5
    for number in range(frames):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        message.header.frame_id = str(time.time())
        publisher.publish(message)
    time.sleep(2.0)
    end.publish(Image())
    end.wait_for_all_acked()
    time.sleep(0.5)


def receive(frames: int) -> None:
    """Print the delays in milliseconds of the frames that arrive before the end."""
    rclpy.init()
    node = rclpy.create_node("receiver")
    delays, ends = [], []

    def note(message: Image) -> None:
        delays.append(1e3 * (time.time() - float(message.header.frame_id)))

    node.create_subscription(Image, "image", note, CAMERA_QOS)
    node.create_subscription(Image, "end", ends.append, 1)
    deadline = time.monotonic() + 90.0
    while not ends and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(*delays)


def wait_until(condition) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"nobody subscribed within {TIMEOUT_S:.0f} s")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
