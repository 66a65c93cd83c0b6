"""Run a node for hours: no frame may get lost, and memory must not grow.

    python benchmarks/soak.py [--minutes 60] [--model dmmi-lite]

A camera process sends 640 x 480 frames at 10 Hz and a new command every second; one of the commands is empty.
Once a minute it stops sending, checks that /diagnostics accounts for every frame (answered, dropped for a
newer one, failed, or without a command), and takes the node through deactivate, cleanup, configure, activate.

Prints a line per minute and a summary. The exit status is 1 if a frame was lost, if the node counted other
results than came, or if its memory (median RSS of a minute) differs by more than 2 % between the first minute
after the warm-up and the last one.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from robot import NODES, Robot, camera_image, camera_message, resident_mib, robot_around

RATE_HZ = 10
HEIGHT, WIDTH = 480, 640
CYCLE_S = 60
WARM_UP_CYCLES = 2
MAX_DRIFT = 0.02
COMMANDS = (
    "the red boxes",
    "the person on the left",
    "",
    "two cups",
    "the green box",
    "the dogs and the chair",
)
KEYS = {
    "answered": "frames processed",
    "dropped": "frames dropped",
    "failed": "frames failed",
    "without a command": "frames without a command",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--model", choices=NODES, default="dmmi-lite")
    options = parser.parse_args(arguments)
    total, memory = Counter(), []
    with robot_around(options.model) as (robot, node):
        for minute in range(1, options.minutes + 1):
            samples = run_cycle(robot, node.pid)
            counts = count_frames(robot)
            total += counts
            memory.append(statistics.median(samples))
            print(f"{minute:4}  {memory[-1]:7.1f} MB  {described(counts)}", flush=True)
            restart(robot)
    return summarise(total, memory)


def run_cycle(robot: Robot, pid: int) -> list[float]:
    """Send the frames and commands of one cycle; return the node's memory in MB, once a second."""
    message = camera_message(camera_image(HEIGHT, WIDTH))
    commands = itertools.cycle(COMMANDS)
    samples = []
    start = time.monotonic()
    for number in range(CYCLE_S * RATE_HZ):
        robot.listen_until(start + number / RATE_HZ)
        if number % RATE_HZ == 0:
            robot.give_command(next(commands))
            samples.append(resident_mib(pid))
        robot.send(message)
    return samples


def count_frames(robot: Robot) -> Counter:
    """Deactivate the node and return the counts of the frames of this cycle."""
    with suppress(RuntimeError):  # frames that have not come by then are lost
        robot.wait_for_report(frames_received=len(robot.sent), timeout=20.0)
    robot.change_state("deactivate")
    robot.wait_for_report(state="inactive")
    report = robot.reports[-1]
    counts = Counter({name: int(report[key]) for name, key in KEYS.items()})
    robot.wait_for(lambda: len(robot.answered) >= counts["answered"], "remaining results")
    counts["sent"] = len(robot.sent)
    counts["lost"] = counts["sent"] - sum(counts[name] for name in KEYS)
    counts["answers received"] = len(robot.answered)
    return counts


def restart(robot: Robot) -> None:
    """Take the node from inactive through cleanup and configure to active."""
    for transition in ("cleanup", "configure", "activate"):
        robot.change_state(transition)
    robot.wait_until_active()
    robot.sent.clear()
    robot.answered.clear()


def summarise(total: Counter, memory: list[float]) -> int:
    """Print the summary and return the exit status."""
    print(f"\nframes: {described(total)}")
    is_good = total["lost"] == 0 and total["answers received"] == total["answered"]
    if len(memory) > WARM_UP_CYCLES + 1:
        first, last = memory[WARM_UP_CYCLES], memory[-1]
        drift = last / first - 1
        print(f"memory: {first:.1f} MB after the warm-up, {last:.1f} MB at the end: {100 * drift:+.2f} %")
        is_good &= abs(drift) <= MAX_DRIFT
    else:
        print(f"memory: not judged in fewer than {WARM_UP_CYCLES + 2} minutes")
    print("passed" if is_good else "FAILED")
    return 0 if is_good else 1


def described(counts: Counter) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in ("sent", *KEYS, "lost", "answers received"))


if __name__ == "__main__":
    sys.exit(main())
