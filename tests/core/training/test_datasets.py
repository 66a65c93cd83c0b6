"""Every dataset in its released format: two training steps, then an evaluation of each split."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dmmi_core.cli import main
from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.data.refer import read_refer
from dmmi_core.data.samples import read_image, write_samples
from dmmi_core.segmenter import Segmenter
from dmmi_core.training import Trainer
from helpers.launching import write_recipe
from helpers.miniature import ALL_KINDS, SPLITS, write_miniature
from helpers.pictures import look
from helpers.reader import understand


def evaluate(capsys, *arguments) -> dict:
    assert main(["evaluate", "--device", "cpu", "--json", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def expected_scores(model, sentences: list[tuple[str, str]], images) -> dict:
    """Compute the scores from the pixels: `understand` finds what a sentence means by the colours."""
    segmenter = Segmenter.from_pretrained(model, engine="torch", device="cpu")
    intersections, unions, rejected, counts = [], [], [], {"zero": 0, "one": 0, "many": 0}
    for name, text in sentences:
        image = read_image(images / name)
        meant = understand(text.lower(), look(image))
        target = np.any([np.zeros(image.shape[:2], bool), *(item.mask for item in meant)], axis=0)
        result = segmenter(image, text)
        predicted = result.mask if result.foreground is None else result.foreground
        counts[("zero", "one", "many")[min(len(meant), 2)]] += 1
        if meant:
            intersections.append((target & predicted).sum())
            unions.append((target | predicted).sum())
        else:
            rejected.append(not predicted.any())
    ious = np.divide(intersections, unions)
    return {
        "oIoU": 100 * np.sum(intersections) / np.sum(unions),
        "mIoU": 100 * ious.mean(),
        "Prec@0.5": 100 * (ious > 0.5).mean(),
        "Acc": 100 * np.mean(rejected) if rejected else None,
        **counts,
    }


@pytest.mark.parametrize(("dataset", "split_by"), SPLITS)
def test_every_dataset(dataset, split_by, recipe, tmp_path, capsys):
    files = write_miniature(tmp_path / "data", dataset, split_by)
    data = DataRecipe(
        str(files.images),
        str(files.annotations),
        refs=str(files.refs),
        validation_split="val" if "val" in SPLITS[dataset, split_by] else "",
        validation_share=3,
        draw_sentence=dataset not in ALL_KINDS,
        balanced=dataset in ALL_KINDS,
    )
    recipe = replace(recipe, data=data, steps=2, batch_size=6, validate_every=2)
    trainer = Trainer(recipe)
    trainer.run()
    losses = [json.loads(line) for line in (trainer.output / "log.jsonl").read_text().splitlines()]
    assert losses[0]["segmentation"] > 0 and losses[-1]["validation"]["one"] > 0
    path = write_recipe(recipe, tmp_path / "recipe.yaml")
    model = trainer.output / "model"
    for split in SPLITS[dataset, split_by]:
        scores = evaluate(capsys, "--model", model, "--recipe", path, "--split", split)
        told = read_refer(files.refs, files.annotations, split)
        expected = expected_scores(model, [(s.image, s.text) for s in told], files.images)
        assert {name: scores[name] for name in expected} == pytest.approx(expected)
        assert (scores["zero"] > 0) == (scores["Acc"] is not None) == (dataset in ALL_KINDS)


def test_samples_file(recipe, tmp_path, capsys):
    files = write_miniature(tmp_path / "data", "ref-zom", "final")
    told = list(read_refer(files.refs, files.annotations, "train"))
    write_samples(tmp_path / "train.jsonl", told)
    data = DataRecipe(
        str(files.images), samples=str(tmp_path / "train.jsonl"), validation_share=2, balanced=True
    )
    recipe = replace(recipe, data=data, steps=None, epochs=1, batch_size=2)
    trainer = Trainer(recipe)
    trainer.run()
    assert trainer.step == trainer.steps > 1
    model = trainer.output / "model"
    scores = evaluate(
        capsys, "--model", model, "--samples", tmp_path / "train.jsonl", "--images", files.images
    )
    expected = expected_scores(model, [(s.image, s.text) for s in told], files.images)
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
