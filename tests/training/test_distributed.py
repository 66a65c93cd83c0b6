"""Two processes on a CPU do together what one does alone."""

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import yaml

TESTS = Path(__file__).parents[1]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture
def recipe_file(recipe, tmp_path):
    values = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(recipe).items()
    }
    values |= {"batch_size": 8, "batch_norm": "frozen", "background_weight": 0.8}
    values["losses"] |= {"dice": 1.0}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def run(*arguments) -> str:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def test_gradients_are_those_of_one_process_with_the_double_batch(recipe_file, tmp_path):
    script = Path(__file__).with_name("gradients.py")
    run(script, recipe_file, tmp_path / "one.pt")
    run(*TORCHRUN, script, recipe_file, tmp_path / "two.pt")
    one, two = (torch.load(tmp_path / name) for name in ("one.pt", "two.pt"))
    assert two["terms"] == pytest.approx(one["terms"], rel=1e-5)
    assert two["gradients"].keys() == one["gradients"].keys() and len(one["gradients"]) > 100
    for name, expected in one["gradients"].items():
        error = (two["gradients"][name] - expected).abs().max()
        assert error <= 1e-6 * max(1.0, expected.abs().max()), name
