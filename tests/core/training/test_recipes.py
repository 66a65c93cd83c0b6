"""Every preset and recipe of training/, with a small network: the loss reaches all parameters."""

import json
import subprocess
import sys

import pytest
import torch

from dmmi_core.cli import main
from dmmi_core.config import PRESETS
from dmmi_core.data.collate import Batch
from dmmi_core.model import Dmmi
from dmmi_core.training.objective import Objective, weighted_sum
from dmmi_core.training.optimizer import train_mode, unreached
from dmmi_core.training.recipe import LossRecipe, read_recipe
from helpers.launching import ENVIRONMENT, TORCHRUN
from helpers.small_recipes import BASES, RECIPES, TRAINING, miniature_overrides, small_overrides, small_preset


def make_batch(tokens: int) -> Batch:
    torch.manual_seed(0)
    labels = torch.zeros(2, 64, 64, dtype=torch.uint8)
    labels[0, 8:40, 16:60] = 1
    return Batch(
        image=torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8),
        labels=labels,
        boxes=torch.tensor([[[16, 8, 60, 40]], [[0] * 4]]) / 64,
        has_mask=torch.tensor([[True], [False]]),
        count=torch.tensor([1, 0]),
        ids=torch.randint(5, 20, (2, tokens)),
        erased_ids=torch.full((2, tokens), 4),
        mask=torch.ones(2, tokens, dtype=torch.bool),
    )


def backpropagate(model: Dmmi, losses: LossRecipe) -> None:
    terms = Objective(model)(make_batch(model.config.max_tokens))
    weighted_sum(terms, losses).backward()


@pytest.mark.parametrize("name", PRESETS)
def test_the_loss_reaches_every_parameter_of_a_preset(name):
    model = Dmmi(small_preset(name))
    backpropagate(model, LossRecipe())
    assert not unreached(model)


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_reaches_every_parameter_that_a_recipe_trains(name):
    recipe = read_recipe(TRAINING / name, small_overrides(name))
    model = Dmmi(recipe.config())
    train_mode(model, recipe)
    backpropagate(model, recipe.losses)
    assert not unreached(model)


def train(name: str, overrides: list[str], folder) -> list[dict]:
    """Train a recipe by torchrun, as the documentation says, and return the lines of its log."""
    command = [sys.executable, *TORCHRUN, "-m", "dmmi_core.cli", "train", str(TRAINING / name), *overrides]
    done = subprocess.run(command, env=ENVIRONMENT, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]


def check_three_steps(name: str, weights, pictures, folder, *more: str) -> None:
    lines = train(name, miniature_overrides(name, weights, pictures, folder, *more), folder)
    assert {line["step"] for line in lines} == {3}
    assert (folder / "run" / "model" / "model.safetensors").is_file()


def test_two_processes_train_the_network_of_the_paper(weights, pictures, tmp_path):
    check_three_steps("table1/refcoco-swin-base.yaml", weights, pictures, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name not in BASES])
def test_two_processes_train_every_recipe(name, weights, pictures, tmp_path):
    check_three_steps(name, weights, pictures, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("row", range(1, 8))
def test_two_processes_train_table_3_on_g_ref(row, weights, pictures, tmp_path):
    base = "base=../table1/refcocog-umd-swin-base.yaml"
    check_three_steps(f"table3/row-{row}.yaml", weights, pictures, tmp_path, base)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table1/refcoco-swin-base.yaml", "table2/ref-zom-swin-base.yaml"])
def test_two_processes_train_the_released_network(name, weights, pictures, tmp_path):
    check_three_steps(name, weights, pictures, tmp_path, "base=../base/swin-base-released.yaml")


def test_trained_on_g_ref_and_evaluated_on_ref_zom(weights, pictures, tmp_path, capsys):
    """Section 5.5 of the paper, by the commands of training/README.md."""
    name, other = "zero-shot/g-ref-swin-base.yaml", "table2/ref-zom-swin-base.yaml"
    (tmp_path / "ref-zom").mkdir()
    overrides = miniature_overrides(name, weights, pictures, tmp_path)
    assert main(["train", str(TRAINING / name), *overrides]) == 0
    evaluate = ["evaluate", "--model", str(tmp_path / "run" / "best"), "--device", "cpu", "--json"]
    overrides = miniature_overrides(other, weights, pictures, tmp_path / "ref-zom")
    assert main([*evaluate, "--recipe", str(TRAINING / other), *overrides, "--split", "test"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["zero"], scores["one"], scores["many"]) == (4, 4, 8)
    assert scores["oIoU"] is not None and scores["Acc"] is not None
