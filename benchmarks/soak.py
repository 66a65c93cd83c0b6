"""Hours in the life of a node: no frame may get lost, and memory must not grow.

    python benchmarks/soak.py [--minutes 60] [--model dmmi-lite]

A camera process sends 640 x 480 frames at 10 Hz and another command every second, one of them empty. Once a
minute it takes the node through its lifecycle, deactivate, cleanup, configure, activate, during which the
camera rests. Before that every frame must be accounted for: answered, dropped for a newer one, failed, or
without a command, as /diagnostics counts them.

Prints a line a minute and a summary. Exit status 1: a frame was lost, the node counted other answers than
came, or its memory (RSS, median of a minute) is in the last minute more than 2 % off that of the first one
after the warm-up.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from robot import NODES, Robot, as_camera_sends_it, camera_picture, robot_around

RATE_HZ = 10
HEIGHT, WIDTH = 480, 640
CYCLE_S = 60
WARM_UP_CYCLES = 2
MOST_DRIFT = 0.02
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
            samples = live(robot, node.pid)
            counts = take_stock(robot)
            total += counts
            memory.append(statistics.median(samples))
            print(f"{minute:4}  {memory[-1]:7.1f} MB  {described(counts)}", flush=True)
            restart(robot)
    return summarise(total, memory)


def live(robot: Robot, pid: int) -> list[float]:
    """One cycle of frames and commands; the node's memory in MB, once a second."""
    message = as_camera_sends_it(camera_picture(HEIGHT, WIDTH))
    commands = itertools.cycle(COMMANDS)
    samples = []
    start = time.monotonic()
    for number in range(CYCLE_S * RATE_HZ):
        robot.listen_until(start + number / RATE_HZ)
        if number % RATE_HZ == 0:
            robot.give_command(next(commands))
            samples.append(resident_memory(pid))
        robot.show(message)
    return samples


def take_stock(robot: Robot) -> Counter:
    """What became of the frames of this cycle, once no more can happen to them."""
    with suppress(RuntimeError):  # what has not come by then is lost
        robot.wait_for_report(frames_received=len(robot.sent), timeout=20.0)
    robot.change_state("deactivate")
    robot.wait_for_report(state="inactive")
    report = robot.reports[-1]
    counts = Counter({name: int(report[key]) for name, key in KEYS.items()})
    robot.wait_for(lambda: len(robot.answered) >= counts["answered"], "rest of the answers")
    counts["sent"] = len(robot.sent)
    counts["lost"] = counts["sent"] - sum(counts[name] for name in KEYS)
    counts["answers received"] = len(robot.answered)
    return counts


def restart(robot: Robot) -> None:
    for transition in ("cleanup", "configure", "activate"):
        robot.change_state(transition)
    robot.wait_until_active()
    robot.sent.clear()
    robot.answered.clear()


def summarise(total: Counter, memory: list[float]) -> int:
    """Prints the summary and gives the exit status."""
    print(f"\nframes: {described(total)}")
    is_good = total["lost"] == 0 and total["answers received"] == total["answered"]
    if len(memory) > WARM_UP_CYCLES + 1:
        first, last = memory[WARM_UP_CYCLES], memory[-1]
        drift = last / first - 1
        print(f"memory: {first:.1f} MB after the warm-up, {last:.1f} MB at the end: {100 * drift:+.2f} %")
        is_good &= abs(drift) <= MOST_DRIFT
    else:
        print(f"memory: not judged in fewer than {WARM_UP_CYCLES + 2} minutes")
    print("passed" if is_good else "FAILED")
    return 0 if is_good else 1


def described(counts: Counter) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in ("sent", *KEYS, "lost", "answers received"))


def resident_memory(pid: int) -> float:
    """RSS in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    sys.exit(main())
