"""Launch trainings and evaluations in processes of their own."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import yaml

from dmmi_core.training.recipe import Recipe
from helpers.paths import ROOT

ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
    "OMP_NUM_THREADS": "1",
}
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def write_recipe(recipe: Recipe, path: Path) -> Path:
    """Write the recipe as YAML, and return `path`."""
    values = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(recipe).items()
    }
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def run_on_two_machines(arguments: list[str], folder: Path) -> str:
    """Run `dmmi ARGUMENTS` as on two machines that meet at a free port; return what both printed.

    Each machine is a torchrun of its own, as training/README.md says, with one process; it works in `folder`.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
    meeting = ["--nnodes", "2", "--rdzv-backend", "c10d", "--rdzv-endpoint", endpoint]
    local = ["--nproc-per-node", "1", "--local-addr", "127.0.0.1"]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        *meeting,
        *local,
        "-m",
        "dmmi_core.cli",
        *arguments,
    ]
    with ExitStack() as machines:
        outputs = [folder / f"machine-{number}.txt" for number in range(2)]
        processes = []
        for output in outputs:
            file = machines.enter_context(output.open("w"))
            process = subprocess.Popen(
                command, env=ENVIRONMENT, cwd=folder, stdout=file, stderr=subprocess.STDOUT
            )
            machines.callback(_end, process)
            processes.append(process)
        codes = [process.wait() for process in processes]
    text = "".join(output.read_text() for output in outputs)
    assert codes == [0, 0], text[-5000:]
    return text


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()  # torchrun ends its processes
        process.wait()
