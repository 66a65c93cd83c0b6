"""Training that is killed and started again ends with the weights of one that was not, bit for bit."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dmmi_core.training.training_state import load_state
from helpers.launching import ENVIRONMENT, write_recipe

STEPS = 16
MAIN = """
import sys
from dataclasses import replace
from helpers.tiny import CONFIG
from dmmi_core.config import PRESETS
PRESETS["tiny"] = replace(CONFIG, decoder_dropout=0.1)
from dmmi_core.cli import main
sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.fixture
def start(recipe, tmp_path):
    """Start `dmmi train` with an output folder; processes that still run at the end are killed."""
    recipe = replace(recipe, steps=STEPS, checkpoint_every=1, ema_decay=0.9, accumulate=2)
    path = write_recipe(recipe, tmp_path / "recipe.yaml")
    running = []

    def start(output: Path) -> subprocess.Popen:
        command = [sys.executable, "-c", MAIN, str(path), f"output={output}"]
        running.append(subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen) -> str:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return errors


def wait_for(path: Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_and_started_again(start, tmp_path):
    whole = start(tmp_path / "whole")
    killed = start(tmp_path / "killed")
    wait_for(tmp_path / "killed" / "training.previous.pt", killed)
    killed.kill()
    killed.wait()
    assert 1 <= load_state(tmp_path / "killed", torch.device("cpu"))["step"] < STEPS
    assert "going on from step" in finish(start(tmp_path / "killed"))
    finish(whole)
    one, two = (torch.load(tmp_path / name / "training.pt") for name in ("whole", "killed"))
    assert one["step"] == two["step"] == STEPS
    for part in ("model", "average"):
        assert one[part].keys() == two[part].keys()
        assert all(torch.equal(value, two[part][key]) for key, value in one[part].items())
    files = [tmp_path / name / "model" / "model.safetensors" for name in ("whole", "killed")]
    assert files[0].read_bytes() == files[1].read_bytes()
