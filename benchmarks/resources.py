"""Measure the processor time and memory of a node in three situations.

    python benchmarks/resources.py [--seconds 20] [--height 720] [--width 1280]

A camera sends 30 frames a second: without a command, with one, and with one and `max_rate` 1. Prints the
share of a core that the node uses, its resident memory, and the results a second.
"""

import argparse
import os
import time

from robot import Robot, camera_image, camera_message, resident_mib, robot_around

RATE_HZ = 30.0
SITUATIONS = {
    "no command": ("", 0.0),
    "a command": ("the person", 0.0),
    "a command, max_rate 1": ("the person", 1.0),
}


def measure(robot: Robot, pid: int, seconds: float, image) -> tuple[float, float]:
    """Send frames for `seconds`; return the share of a core that process `pid` used, and results a second."""
    message = camera_message(image)
    answers, used, start = len(robot.answered), processor_seconds(pid), time.monotonic()
    for frame in range(round(seconds * RATE_HZ)):
        robot.send(message)
        robot.listen_until(start + (frame + 1) / RATE_HZ)
    taken = time.monotonic() - start
    return (processor_seconds(pid) - used) / taken, (len(robot.answered) - answers) / taken


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in seconds."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--width", type=int, default=1280)
    arguments = parser.parse_args()
    image = camera_image(arguments.height, arguments.width)
    with robot_around("dmmi-lite") as (robot, node):
        for name, (command, max_rate) in SITUATIONS.items():
            robot.set_parameter("max_rate", max_rate)
            robot.give_command(command)
            robot.wait_for_report(command=command)
            share, results = measure(robot, node.pid, arguments.seconds, image)
            memory = resident_mib(node.pid)
            print(f"{name}: {share:.1%} of a core, {memory:.0f} MiB, {results:.1f} results/s", flush=True)


if __name__ == "__main__":
    main()
