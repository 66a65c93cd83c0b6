"""Two machines train and evaluate together, by the commands of training/README.md."""

import json

import pytest

from dmmi_core.cli import main
from dmmi_core.errors import ModelError
from dmmi_core.training.trainer import Trainer
from helpers.launching import run_on_two_machines
from helpers.small_recipes import TRAINING, miniature_overrides

NAME = "table2/ref-zom-swin-base.yaml"


@pytest.mark.timeout(900)
def test_two_machines_train_a_recipe_and_score_its_model(weights, pictures, tmp_path, capsys):
    recipe = [str(TRAINING / NAME), *miniature_overrides(NAME, weights, pictures, tmp_path)]
    run_on_two_machines(["train", *recipe], tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 3], "one process writes the log"
    model = str(tmp_path / "run" / "model")
    evaluate = [
        "evaluate",
        "--model",
        model,
        "--device",
        "cpu",
        "--json",
        "--recipe",
        *recipe,
        "--split",
        "test",
    ]
    printed = run_on_two_machines(evaluate, tmp_path)
    (scores,) = (json.loads(line) for line in printed.splitlines() if line.startswith("{"))
    assert main(evaluate) == 0
    expected = json.loads(capsys.readouterr().out)
    kinds, expected_kinds = scores.pop("by_kind"), expected.pop("by_kind")
    assert scores == pytest.approx(expected)
    assert all(kinds[kind] == pytest.approx(expected_kinds[kind]) for kind in expected_kinds)
    assert scores["zero"] > 0 and scores["many"] > 0


def test_machines_that_do_not_share_the_output_are_told(recipe, monkeypatch):
    trainer = Trainer(recipe)
    monkeypatch.setattr("dmmi_core.training.trainer.gather_list", lambda steps: [*steps, 3])
    with pytest.raises(ModelError, match="find different checkpoints; all machines must share"):
        trainer.run()
