"""Measure how long the node takes to start and to end, and its memory.

    python benchmarks/node_start.py [--runs 5] [--engines auto torch]

Prints medians and maxima: the time from the start of the process until the node is ready, and until its first
answer is received; the resident memory after that; the time from SIGINT to the end of the process.
"""

import argparse
import os
import re
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import rclpy
from robot import NODES, Robot, camera_image, camera_message, resident_mib

from dmmi_core.engines.registry import ENGINES
from dmmi_ros.testing.node_process import Domain, NodeProcess

READY = re.compile(r"\[(\d+\.\d+)\].* is ready on (.*)")
FIGURES = ("ready, s", "first answer, s", "memory, MiB", "SIGINT to exit, s")


def start(engine: str, environment: dict[str, str]) -> tuple[dict[str, float], str]:
    """Start a node and end it; return the figures, and the device and engine of the node."""
    command = [*NODES["dmmi-lite"], "--ros-args", "-p", "autostart:=true", "-p", f"engine:={engine}"]
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        started, clock = time.time(), time.monotonic()
        with NodeProcess(command, environment=environment, output=log) as node:
            robot = Robot(node)
            robot.wait_until_active()
            robot.give_command("the person")
            robot.wait_for_report(command="the person")
            robot.send(camera_message(camera_image(480, 640)))
            robot.wait_for(lambda: robot.answered, "answer")
            answered = time.monotonic() - clock
            memory = resident_mib(node.pid)
            robot.destroy_node()
            stopping = time.monotonic()
            status = node.stop()
            ended = time.monotonic() - stopping
        ready = READY.search((Path(folder) / "log").read_text())
    if status or not ready:
        raise RuntimeError(f"the node ended with status {status}")
    return dict(zip(FIGURES, (float(ready[1]) - started, answered, memory, ended), strict=True)), ready[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--engines", nargs="+", default=["auto"], choices=("auto", *ENGINES))
    arguments = parser.parse_args()
    domain = Domain()  # reserved until the end
    os.environ.update(environment := domain.environment())
    with rclpy.init():
        for engine in arguments.engines:
            runs = [start(engine, environment) for _ in range(arguments.runs)]
            print(f"{engine} ({runs[0][1]}):")
            for name in FIGURES:
                values = [figures[name] for figures, _ in runs]
                print(f"  {name}: {median(values):.2f}, at most {max(values):.2f}", flush=True)


if __name__ == "__main__":
    main()
