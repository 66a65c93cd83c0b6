"""Two processes on a CPU do together what one does alone."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from launching import ENVIRONMENT, TORCHRUN, write_recipe


@pytest.fixture
def recipe_file(recipe, tmp_path):
    losses = replace(recipe.losses, dice=1.0)
    recipe = replace(recipe, batch_size=8, batch_norm="frozen", background_weight=0.8, losses=losses)
    return write_recipe(recipe, tmp_path / "recipe.yaml")


def run(*arguments) -> None:
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]


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
