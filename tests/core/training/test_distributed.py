"""Two processes on a CPU do together what one does alone."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from helpers.launching import ENVIRONMENT, TORCHRUN, write_recipe
from helpers.paths import HELPERS

SCRIPT = str(HELPERS / "training_process.py")


@pytest.fixture
def trained(recipe, tmp_path):
    """Return the saved values and the log, for one process and for two."""
    losses = replace(recipe.losses, dice=1.0)
    recipe = replace(
        recipe, batch_size=8, batch_norm="frozen", background_weight=0.8, losses=losses, validate_every=4
    )
    path = write_recipe(recipe, tmp_path / "recipe.yaml")
    saved = []
    for name, launcher in (("one", ()), ("two", TORCHRUN)):
        output = tmp_path / name
        command = [sys.executable, *launcher, SCRIPT, str(path), f"{output}.pt", f"output={output}"]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=250)
        assert done.returncode == 0, done.stderr[-3000:]
        log = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
        saved.append((torch.load(f"{output}.pt"), log))
    return saved


def test_two_processes_train_as_one_does_with_the_double_batch(trained):
    (one, one_log), (two, two_log) = trained
    assert two["terms"] == pytest.approx(one["terms"], rel=1e-9)
    assert two["gradients"].keys() == one["gradients"].keys() and len(one["gradients"]) > 100
    for name, expected in one["gradients"].items():
        torch.testing.assert_close(two["gradients"][name], expected, rtol=1e-6, atol=1e-9, msg=name)
    for name, expected in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], expected, rtol=1e-6, atol=1e-6, msg=name)
    assert [line["step"] for line in two_log] == [line["step"] for line in one_log] == [2, 4, 4]
    assert two_log[0]["total"] == pytest.approx(one_log[0]["total"], rel=1e-6)
    assert two_log[-1]["validation"] == pytest.approx(one_log[-1]["validation"], rel=1e-6)
