"""The trainer on drawn pictures: it learns, resumes exactly, and leaves a model that opens."""

import json
from dataclasses import replace
from shutil import copytree

import numpy as np
import pytest
import torch
from tiny import CONFIG

from dmmi_core.config import PRESETS
from dmmi_core.data.scenes import is_validation, read_scenes
from dmmi_core.errors import InputError, ModelError
from dmmi_core.recipe import DataRecipe, Recipe
from dmmi_core.segmenter import Segmenter
from dmmi_core.training import Trainer, state


def log(trainer: Trainer) -> list[dict]:
    return [json.loads(line) for line in (trainer.output / "log.jsonl").read_text().splitlines()]


def run(recipe: Recipe) -> Trainer:
    trainer = Trainer(recipe)
    trainer.run()
    return trainer


class Stopped(Exception):
    pass


def run_until(recipe: Recipe, step: int, monkeypatch) -> None:
    """Breaks off while training on after this step."""
    take_step = Trainer._train_step

    def stop(self, batches):
        if self.step == step:
            raise Stopped
        return take_step(self, batches)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_train_step", stop)
        with pytest.raises(Stopped):
            run(recipe)


def assert_same_weights(actual: Trainer, expected: Trainer) -> None:
    assert not different_weights(actual, expected.model.state_dict())


def different_weights(trainer: Trainer, state: dict[str, torch.Tensor]) -> set[str]:
    return {key for key, value in trainer.model.state_dict().items() if not torch.equal(value, state[key])}


def test_the_loss_goes_down_and_the_model_opens(recipe):
    trainer = run(replace(recipe, steps=45, batch_size=8, log_every=15, checkpoint_every=100))
    lines = log(trainer)
    assert [line["step"] for line in lines] == [15, 30, 45]
    terms = {"segmentation", "dice", "similarity", "contrast", "presence"}
    assert all(terms <= line.keys() for line in lines)
    for term in ("total", "segmentation", "contrast"):
        assert lines[-1][term] < 0.9 * lines[0][term], term
    segmenter = Segmenter.from_pretrained(trainer.output / "model", device="cpu")
    result = segmenter(np.zeros((48, 80, 3), np.uint8), "the dog")
    assert result.mask.shape == (48, 80)


@pytest.mark.parametrize("stop", [1, 3])
def test_an_interrupted_run_ends_with_the_same_weights(recipe, monkeypatch, tmp_path, stop):
    expected = run(recipe)
    again = replace(recipe, output=str(tmp_path / "again"))
    run_until(again, stop, monkeypatch)
    resumed = run(again)
    assert_same_weights(resumed, expected)
    assert resumed.step == expected.step == 4
    saved = [torch.load(trainer.output / "training.pt") for trainer in (resumed, expected)]
    assert [state["step"] for state in saved] == [4, 4]


def test_a_finished_run_is_left_alone(recipe):
    expected = run(recipe)
    before = (expected.output / "training.pt").read_bytes()
    assert_same_weights(run(recipe), expected)
    assert (expected.output / "training.pt").read_bytes() == before


def test_means_in_the_log_are_of_the_steps_since_the_last(recipe, monkeypatch, tmp_path):
    """Also after a run that went on in between."""
    steps = log(run(replace(recipe, log_every=1, checkpoint_every=1)))
    again = replace(recipe, output=str(tmp_path / "again"), log_every=4, checkpoint_every=1)
    run_until(again, 2, monkeypatch)
    (line,) = log(run(again))
    assert line["total"] == pytest.approx(np.mean([step["total"] for step in steps[2:]]), rel=1e-4)


def test_worker_processes_change_nothing(recipe, tmp_path):
    expected = run(recipe)
    assert_same_weights(run(replace(recipe, output=str(tmp_path / "again"), workers=1)), expected)


def test_another_seed_changes_everything(recipe, tmp_path):
    a, b = (run(replace(recipe, output=str(tmp_path / str(seed)), seed=seed)) for seed in (1, 2))
    assert different_weights(a, b.model.state_dict())


def test_a_save_that_breaks_off_leaves_the_last_one(recipe, monkeypatch):
    save = torch.save

    def break_off(state, path):
        if state["step"] == 4:
            path.write_bytes(b"half")
            raise Stopped
        save(state, path)

    monkeypatch.setattr(state.torch, "save", break_off)
    with pytest.raises(Stopped):
        run(recipe)
    assert torch.load(f"{recipe.output}/training.pt")["step"] == 2
    monkeypatch.undo()


def test_validation_photographs_are_never_read(recipe, pictures, tmp_path):
    folder = copytree(pictures.parent, tmp_path / "pictures")
    removed = [
        folder / scene.image
        for scene in read_scenes(pictures)
        if is_validation(scene.image, recipe.data.validation_share)
    ]
    assert len(removed) > 3
    for path in removed:
        path.unlink()
    run(replace(recipe, data=replace(recipe.data, images=str(folder)), steps=30))


def test_frozen_parts_stay_as_they_were(recipe):
    recipe = replace(recipe, freeze=("text.bert", "visual.stages.0"))
    before = {key: value.clone() for key, value in Trainer(recipe).model.state_dict().items()}
    trainer = run(recipe)
    changed = different_weights(trainer, before)
    assert not {key for key in changed if key.startswith(("text.bert.", "visual.stages.0."))}
    for part in ("visual.stem.", "visual.stages.1.", "fusions.0.", "decoder.", "presence.", "recovery."):
        assert any(key.startswith(part) for key in changed), part
    assert any("running_mean" in key for key in changed)


def test_learning_rates_and_weight_decay(recipe):
    recipe = replace(recipe, backbone_learning_rate=1e-4, steps=5, warmup_steps=2)
    trainer, seen = Trainer(recipe), []

    def note(optimizer, *_):
        seen.append({p: (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]})

    trainer.optimizer.optimizer.register_step_pre_hook(note)  # the one that Accelerate wraps
    trainer.run()
    assert len(seen) == 5
    for step, groups in enumerate(seen):
        factor = (1 - step / 5) ** 0.9 * (0.5 if step == 0 else 1)
        for name, parameter in trainer.model.named_parameters():
            peak = 1e-4 if name.startswith("visual.") else 1e-3
            decay = 0.01 if parameter.dim() > 1 else 0
            assert groups[parameter] == pytest.approx((peak * factor, decay)), name


def test_bf16(recipe):
    trainer = run(replace(recipe, precision="bf16", steps=1, log_every=1))
    assert np.isfinite(log(trainer)[0]["total"])
    assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"precision": "fp8"}, InputError, "precision is 'fp8'"),
        ({"model": "huge"}, ModelError, "no preset 'huge'"),
        ({"image_size": 50}, ModelError, "multiple of 32"),
        ({"device": "gpu"}, ModelError, "device 'gpu'"),
        ({"backbone_weights": "nowhere.pth"}, ModelError, "no such file or folder: nowhere.pth"),
        ({"text_weights": "package:json"}, ModelError, "json"),
        ({"data": DataRecipe("nowhere", "nowhere.json")}, InputError, "cannot read nowhere.json"),
        ({"learning_rate": float("nan")}, ModelError, "the loss is nan at step 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_in_a_recipe(recipe, changes, error, message):
    with pytest.raises(error, match=message) as raised:
        run(replace(recipe, **changes))
    assert "\n" not in str(raised.value)


def test_a_state_of_another_recipe_is_refused(recipe, monkeypatch):
    run(recipe)
    monkeypatch.setitem(PRESETS, "tiny", replace(CONFIG, presence=False))
    with pytest.raises(ModelError, match="of another recipe; choose another output folder"):
        run(recipe)


@pytest.mark.parametrize("damage", ["hostile", "half", "empty"])
def test_a_damaged_state_is_refused(recipe, tmp_path, hostile_pickle, damage):
    path = tmp_path / "out" / "training.pt"
    path.parent.mkdir()
    if damage == "hostile":
        hostile_pickle(path)
    else:
        torch.save({"step": 1}, path)
        path.write_bytes(path.read_bytes()[: 100 if damage == "half" else 0])
    with pytest.raises(ModelError, match=r"training\.pt") as error:
        run(recipe)
    assert "\n" not in str(error.value)
