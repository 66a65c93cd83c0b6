"""The trainer on drawn images: it learns, resumes exactly, and leaves a model that opens."""

import json
from dataclasses import replace
from shutil import copytree

import numpy as np
import pytest
import torch

from dmmi_core.checkpoints.saved_network import load_model
from dmmi_core.config import PRESETS
from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.scenes import read_scenes
from dmmi_core.errors import InputError, ModelError
from dmmi_core.segmenter import Segmenter
from dmmi_core.training import Trainer, training_state
from dmmi_core.training import trainer as loop
from dmmi_core.training.ema import moving_average
from dmmi_core.training.recipe import Recipe
from helpers.miniature import write_miniature
from helpers.tiny import CONFIG


def log(trainer: Trainer) -> list[dict]:
    return [json.loads(line) for line in (trainer.output / "log.jsonl").read_text().splitlines()]


def run(recipe: Recipe) -> Trainer:
    trainer = Trainer(recipe)
    trainer.run()
    return trainer


class Stopped(Exception):
    pass


def run_until(recipe: Recipe, step: int, monkeypatch) -> None:
    """Run until `step` steps are done, then break off."""
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
    segmenter = Segmenter.from_pretrained(trainer.output / "model", engine="torch", device="cpu")
    result = segmenter(np.zeros((48, 80, 3), np.uint8), "the dog")
    assert result.mask.shape == (48, 80)


def test_several_processes_need_a_gradient_for_every_parameter(recipe):
    trainer = Trainer(replace(recipe, freeze=("text", "visual")))
    with pytest.raises(ModelError, match=r"no effect on the loss, such as fusions\.0\..*recipe's freeze"):
        trainer._require_gradients()
    trainer._backward(next(trainer._batches()))
    trainer._require_gradients()


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
    """They are also right after a resumed run."""
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

    def break_off(state, file):
        if state["step"] == 4:
            file.write(b"half")
            raise Stopped
        save(state, file)

    monkeypatch.setattr(training_state.torch, "save", break_off)
    with pytest.raises(Stopped):
        run(recipe)
    assert torch.load(f"{recipe.output}/training.pt")["step"] == 2
    monkeypatch.undo()


def test_validation_images_are_never_read(recipe, pictures, tmp_path):
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

    trainer.optimizer.optimizer.register_step_pre_hook(note)  # the optimizer that Accelerate wraps
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
        ({"learning_rate": float("nan")}, InputError, "learning_rate is nan"),
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


def test_accumulating_gives_the_gradients_of_the_whole_batch(recipe, tmp_path, monkeypatch):
    """The contrastive loss is excluded, as its negatives are those of one forward pass."""
    monkeypatch.setitem(PRESETS, "tiny", replace(CONFIG, contrast=False))
    recipe = replace(recipe, batch_size=4, batch_norm="frozen", freeze=("text.bert",))
    trainers = [Trainer(replace(recipe, accumulate=n, output=str(tmp_path / str(n)))) for n in (1, 2)]
    for trainer in trainers:
        trainer.terms = trainer._backward(next(trainer._batches()))
    one, two = ({n: p.grad for n, p in t.model.named_parameters() if p.grad is not None} for t in trainers)
    assert one.keys() == two.keys() and len(one) > 100
    for name, expected in one.items():
        torch.testing.assert_close(two[name], expected, rtol=1e-3, atol=2e-5, msg=name)
    assert trainers[0].terms["total"] == pytest.approx(trainers[1].terms["total"].item(), rel=1e-5)


def test_the_average_is_saved_in_place_of_the_last_weights(recipe):
    trainer = run(replace(recipe, ema_decay=0.5, steps=3, checkpoint_every=3))
    saved, _ = load_model(trainer.output / "model")
    average, last = dict(trainer.average.module.named_parameters()), dict(trainer.model.named_parameters())
    name = (
        "decoder.score.weight" if "decoder.score.weight" in last else max(last, key=lambda n: last[n].dim())
    )
    value = dict(saved.named_parameters())[name]
    torch.testing.assert_close(value, average[name].detach(), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(value, last[name].detach(), rtol=1e-3, atol=1e-5)


def test_moving_average():
    """The weight of the old value is (1 + n) / (10 + n) at first, then the decay."""
    model = torch.nn.Linear(1, 1, bias=False)
    average, expected = moving_average(model, decay=0.3), None
    for count, value in enumerate((1.0, 2.0, 3.0, 4.0, 5.0)):
        model.weight.data.fill_(value)
        average.update_parameters(model)
        kept = min(0.3, (1 + count) / (10 + count))
        expected = value if expected is None else kept * expected + (1 - kept) * value
        assert average.module.weight.item() == pytest.approx(expected)


def test_the_best_on_the_validation_split_is_kept(recipe, monkeypatch):
    scores = iter([(30.0, 5), (50.0, 6), (None, 7), (40.0, 8)])
    kept = {}

    def score(segmenter, samples, images, **_):
        assert {is_validation(sample.image, recipe.data.validation_share) for sample in samples} == {True}
        value, _ = next(scores)
        return {"oIoU": value, "Acc": 1.0, "zero": 2}

    monkeypatch.setattr(loop, "evaluate", score)
    save = loop.save_model
    monkeypatch.setattr(
        loop,
        "save_model",
        lambda model, tok, folder: (
            kept.setdefault(folder.name, []).append(trainer.step),
            save(model, tok, folder),
        ),
    )
    trainer = Trainer(replace(recipe, steps=4, validate_every=1, checkpoint_every=4))
    trainer.run()
    assert kept == {"best": [1, 2], "model": [4]}
    assert torch.load(trainer.output / "training.pt")["best"] == 50.0
    validations = [line["validation"].get("oIoU") for line in log(trainer) if "validation" in line]
    assert validations == [30.0, 50.0, None, 40.0]
    assert trainer.model.training and any(trainer.output.glob("tensorboard/events*"))


def test_validation_leaves_the_training_as_it_is(recipe, tmp_path):
    """Frozen parts stay in evaluation mode, and the weights end the same."""
    recipe = replace(recipe, freeze=("text.bert",), batch_norm="frozen")
    expected = run(recipe)
    validated = run(replace(recipe, output=str(tmp_path / "again"), validate_every=2))
    assert_same_weights(validated, expected)
    assert not validated.model.text.bert.training and validated.model.decoder.training
    line = next(line for line in log(validated) if "validation" in line)["validation"]
    assert line["zero"] > 0 and 0 <= line["oIoU"] <= 100


def test_a_loss_of_nan_is_never_saved(recipe, monkeypatch):
    """Not even if the next log entry is due later."""
    recipe = replace(recipe, log_every=100, checkpoint_every=1)
    take_step = Trainer._train_step

    def spoil(self, batches):
        terms = take_step(self, batches)
        return {name: value * (float("nan") if self.step == 3 else 1) for name, value in terms.items()}

    monkeypatch.setattr(Trainer, "_train_step", spoil)
    with pytest.raises(ModelError, match="the loss is nan at step 2"):
        run(recipe)
    assert torch.load(f"{recipe.output}/training.pt")["step"] == 2


@pytest.mark.parametrize(("batch_size", "accumulate"), [(6, 4), (2, 3)])
def test_batches_that_cannot_be_split(recipe, batch_size, accumulate):
    with pytest.raises(InputError, match=f"must be a multiple of {accumulate}"):
        Trainer(replace(recipe, batch_size=batch_size, accumulate=accumulate))


def test_epochs_are_of_the_samples(recipe, tmp_path):
    files = write_miniature(tmp_path / "refcoco")
    data = DataRecipe(str(files.images), str(files.annotations), refs=str(files.refs), validation_split="val")
    trainer = Trainer(replace(recipe, data=data, steps=None, epochs=3, batch_size=4))
    sentences = len(trainer.dataset.samples)
    assert trainer.steps == 3 * sentences // 4
    drawn = Trainer(
        replace(recipe, data=replace(data, draw_sentence=True), steps=None, epochs=3, batch_size=4)
    )
    assert drawn.steps == 3 * len(np.unique(trainer.dataset.samples.groups)) // 4 < trainer.steps
