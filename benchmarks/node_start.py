"""Measure the time from the start of the node's process until it is active.

    python benchmarks/node_start.py [--runs 5] [--engines auto torch]

The first run of each engine does not count, as it may export the model. Prints the median and the maximum in
seconds, from the clock of this process to the stamps in the node's log.
"""

import argparse
import re
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from robot import NODES

from dmmi_core.engines.registry import ENGINES
from dmmi_ros.testing.node_process import Domain, NodeProcess

READY = re.compile(r"\[(\d+\.\d+)\].* is ready on (.*)")
TIMEOUT_S = 300.0


def start(engine: str, environment: dict[str, str]) -> tuple[float, str]:
    """Start a node; return the seconds until it was ready, and its device and engine."""
    command = [*NODES["dmmi-lite"], "--ros-args", "-p", "autostart:=true", "-p", f"engine:={engine}"]
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        started = time.time()
        with NodeProcess(command, environment=environment, output=log):
            while not (ready := READY.search((Path(folder) / "log").read_text())):
                if time.time() - started > TIMEOUT_S:
                    raise RuntimeError(f"the node is not ready after {TIMEOUT_S:.0f} s")
                time.sleep(0.05)
    return float(ready[1]) - started, ready[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--engines", nargs="+", default=["auto", "torch"], choices=("auto", *ENGINES))
    arguments = parser.parse_args()
    domain = Domain()  # reserved until the end
    environment = domain.environment()
    for engine in arguments.engines:
        runs = [start(engine, environment) for _ in range(1 + arguments.runs)][1:]
        seconds = [taken for taken, _ in runs]
        print(f"{engine} ({runs[0][1]}): {median(seconds):.2f} s, at most {max(seconds):.2f} s", flush=True)


if __name__ == "__main__":
    main()
