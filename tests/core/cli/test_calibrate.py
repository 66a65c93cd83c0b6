"""`dmmi calibrate`: what it prints and writes."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
import yaml

from dmmi_core.checkpoints.model_folder import read_config
from dmmi_core.checkpoints.saved_network import save_model
from dmmi_core.cli import main
from dmmi_core.evaluation import calibration
from dmmi_core.evaluation.calibration import Calibration
from dmmi_core.segmenter import Segmenter
from helpers.tiny import CONFIG, make_model


@pytest.fixture
def model(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / "model")


@pytest.fixture
def recipe(pictures, tmp_path):
    path = tmp_path / "recipe.yaml"
    data = {"images": str(pictures.parent), "annotations": str(pictures), "validation_share": 4}
    values = {"model": "dmmi-lite", "data": data, "output": "o", "steps": 1}
    path.write_text(yaml.safe_dump(values | {"backbone_weights": "b", "text_weights": "t"}))
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    status = main(["calibrate", "--device", "cpu", *map(str, arguments)])
    return status, *capsys.readouterr()


@pytest.fixture
def telling(monkeypatch):
    """As if something was always found, and the presence head right three times of four: logits of 1 or 3."""
    fit = calibration.fit

    def shifted(logits, has_target, found):
        errs = torch.arange(len(logits)) % 4 == 0
        return fit(1 + logits - logits.mean() + 2 * (has_target ^ errs), has_target, torch.ones_like(found))

    monkeypatch.setattr(calibration, "fit", shifted)


def test_the_model_is_calibrated(capsys, model, recipe, tmp_path, telling):
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    plot = tmp_path / "curve.svg"
    status, output, errors = run(capsys, "--model", model, "--recipe", recipe, "--json", "--plot", plot)
    assert (status, errors) == (0, "")
    found = json.loads(output)
    config = read_config(model)
    assert config.presence_temperature == found["temperature"] != 1
    assert config.presence_threshold == found["threshold"] != 0.5
    assert config == replace(
        CONFIG,
        reconstruct=False,
        contrast=False,
        presence_temperature=found["temperature"],
        presence_threshold=found["threshold"],
    )
    assert len(found["precision"]) == len(found["recall"]) == 99
    assert plot.read_text().startswith("<svg")
    after = {path.name: path.read_bytes() for path in model.iterdir()}
    assert {name for name in after if before.get(name) != after[name]} == {"config.json"}
    assert (
        Segmenter.from_pretrained(model, engine="torch", device="cpu").presence_threshold
        == found["threshold"]
    )
    # Again: what was written before has no part in it.
    assert json.loads(run(capsys, "--model", model, "--recipe", recipe, "--json")[1]) == found


def test_text(capsys, model, recipe, telling):
    status, output, _ = run(capsys, "--model", model, "--recipe", recipe)
    first, second = output.splitlines()
    assert status == 0
    assert first.startswith("temperature ") and second.startswith("threshold 0.")


def test_a_poor_result_is_warned_of(capsys, model, recipe, caplog, monkeypatch):
    poor = Calibration(2.0, 0.9, 5.0, 7.5, [100.0] * 99, [50.0] * 99, n_acc=99.0, t_acc=49.0)
    monkeypatch.setattr(calibration, "calibrate", lambda *_, **__: poor)
    assert run(capsys, "--model", model, "--recipe", recipe)[0] == 0
    worse, missed = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert worse.startswith("the calibration error grew from 5.0 % to 7.5 %")
    assert missed.startswith("T-acc is 49.0 %: more than half of all targets are missed")
    caplog.clear()
    monkeypatch.setattr(calibration, "calibrate", lambda *_, **__: replace(poor, ece_after=5.0, t_acc=50.0))
    assert run(capsys, "--model", model, "--recipe", recipe)[0] == 0 and not caplog.records


def test_a_folder_that_cannot_be_written(capsys, model, recipe, telling):
    (model / "config.json.new").mkdir()  # root may write into read-only folders, but not over a folder
    status, _, errors = run(capsys, "--model", model, "--recipe", recipe)
    assert status == 2 and "calibrate a copy of it" in errors and errors.count("\n") == 1


def test_mistakes_are_one_line(capsys, model, recipe, tokenizer, tmp_path, telling):
    without = tmp_path / "without"
    save_model(make_model(replace(CONFIG, presence=False)), tokenizer, without)
    for arguments, message in (
        (("--model", without, "--recipe", recipe), "has no presence head to calibrate"),
        (("--model", tmp_path / "nowhere", "--recipe", recipe), "no model "),
        (("--model", model, "--recipe", recipe, "--plot", "nowhere/a.svg"), "does its folder exist?"),
        (("--model", model, "--recipe", recipe, "--plot", tmp_path), "Is a directory"),
    ):
        status, _, errors = run(capsys, *arguments)
        assert status == 2 and errors.startswith("dmmi: ") and message in errors and errors.count("\n") == 1
