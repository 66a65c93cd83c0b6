"""Samples from Cityscapes and from plain label images, on miniature files in the released layout."""

import logging

import cv2
import numpy as np
import pytest
from PIL import Image

from dmmi_core.cli import main
from dmmi_core.data.cityscapes import image_folder, read_cityscapes
from dmmi_core.data.label_images import Words, label_image_samples, read_words
from dmmi_core.data.samples import Sample, read_samples
from dmmi_core.errors import InputError

HEIGHT, WIDTH = 40, 80
ROAD, PERSON, CAR, BUS, SKY = 7, 24, 26, 28, 23
WORDS = "things: {24: pedestrian, 26: car, 28: bus}\nregions: {7: road, 23: sky}\n"


def write_scene(folder, city: str, number: int, boxes: dict[int, tuple], split: str = "val") -> None:
    """Write an image and its instance ids: a road, and a box (rows, columns) for each id."""
    name = f"{city}_{number:06}_000019"
    ids = np.full((HEIGHT, WIDTH), ROAD, np.uint16)
    for value, box in boxes.items():
        ids[box] = value
    for kind, array in (
        ("leftImg8bit", np.zeros((HEIGHT, WIDTH, 3), np.uint8)),
        ("gtFine_instanceIds", ids),
    ):
        path = folder / kind.partition("_")[0] / split / city / f"{name}_{kind}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), array)


LEFT, FAR_LEFT, RIGHT, MIDDLE = (
    np.s_[10:20, 20:30],
    np.s_[10:20, 2:12],
    np.s_[10:20, 60:75],
    np.s_[5:9, 38:44],
)


@pytest.fixture
def cityscapes(tmp_path):
    cars = {CAR * 1000: LEFT, CAR * 1000 + 1: FAR_LEFT, CAR * 1000 + 2: RIGHT}
    write_scene(tmp_path, "aachen", 0, {**cars, PERSON * 1000: RIGHT})  # the person hides the right car
    write_scene(tmp_path, "bonn", 1, {**cars, PERSON * 1000: MIDDLE, SKY: np.s_[:3, :]})
    write_scene(tmp_path, "bonn", 2, {CAR: LEFT})  # a group that was not parted
    write_scene(tmp_path, "ulm", 3, {}, split="train")
    return tmp_path


def by_text(samples: list[Sample], image: str) -> dict[str, Sample]:
    return {sample.text: sample for sample in samples if image in sample.image}


def test_cityscapes(cityscapes):
    samples = list(read_cityscapes(cityscapes, "val"))
    assert {sample.image for sample in samples} == {
        f"{city}/{city}_{number:06}_000019_leftImg8bit.png"
        for city, number in (("aachen", 0), ("bonn", 1), ("bonn", 2))
    }
    assert all((image_folder(cityscapes, "val") / sample.image).is_file() for sample in samples)
    found = by_text(samples, "000001")
    kinds = {text: sample.kind for text, sample in found.items() if sample.kind != "zero"}
    assert kinds == {
        "the cars": "many",
        "the cars on the left": "many",
        "the car on the right": "one",
        "the pedestrian": "one",  # in the middle: on no side
        "the road": "one",
        "the sky": "one",
    }
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[LEFT] = expected[FAR_LEFT] = True
    assert np.array_equal(found["the cars on the left"].mask(), expected)
    expected[RIGHT] = True
    assert np.array_equal(found["the cars"].mask(), expected)
    assert [int(item.sum()) for item in found["the cars"].objects()] == [100, 100, 150]


def test_what_is_absent(cityscapes):
    samples = list(read_cityscapes(cityscapes, "val"))
    for image in ("000000", "000001", "000002"):
        zero = [sample for sample in by_text(samples, image).values() if sample.kind == "zero"]
        assert len(zero) == 3 and not any(sample.mask().any() for sample in zero)
    texts = {sample.text for sample in samples if sample.kind == "zero"}
    assert not texts & {"the road", "the car", "the cars", "the cars on the left", "the car on the left"}
    aachen = by_text(samples, "000000")
    assert "the car on the right" not in aachen or aachen["the car on the right"].kind == "zero"


def test_groups_are_in_the_plural(cityscapes):
    texts = by_text(list(read_cityscapes(cityscapes, "val")), "000002")
    assert texts["the cars"].kind == "one" and "the car" not in texts
    assert texts["the cars on the left"].mask().sum() == 100


def test_the_same_samples_each_time(cityscapes):
    assert list(read_cityscapes(cityscapes, "val")) == list(read_cityscapes(cityscapes, "val"))


@pytest.mark.parametrize("palette", [False, True])
def test_plain_label_images(tmp_path, palette):
    labels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    labels[LEFT] = labels[RIGHT] = CAR
    labels[MIDDLE] = BUS
    picture = Image.fromarray(labels)
    if palette:
        picture.putpalette([value for i in range(256) for value in (i, 255 - i, 7)])
    for folder in ("images/a", "labels/a"):
        (tmp_path / folder).mkdir(parents=True)
    picture.save(tmp_path / "labels/a/1.png")
    cv2.imwrite(str(tmp_path / "images/a/1.jpg"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    words = Words({CAR: "car", BUS: "bus", PERSON: "person"}, {ROAD: "road"})
    samples = list(label_image_samples(tmp_path / "images", tmp_path / "labels", words))
    assert {sample.image for sample in samples} == {"a/1.jpg"}
    kinds = {sample.text: sample.kind for sample in samples}
    assert {kinds.pop("the road"), kinds.pop("the people", None) or kinds.pop("the person")} == {"zero"}
    assert kinds == {
        "the cars": "many",
        "the cars on the left": "one",
        "the cars on the right": "one",
        "the buses": "one",
    }


def test_damaged_pairs_are_left_out(cityscapes, caplog):
    (image_folder(cityscapes, "val") / "aachen/aachen_000000_000019_leftImg8bit.png").unlink()
    damaged = cityscapes / "gtFine/val/bonn/bonn_000001_000019_gtFine_instanceIds.png"
    damaged.write_bytes(damaged.read_bytes()[:40])
    with caplog.at_level(logging.WARNING):
        samples = list(read_cityscapes(cityscapes, "val"))
    assert {sample.image for sample in samples} == {"bonn/bonn_000002_000019_leftImg8bit.png"}
    assert len(caplog.messages) == 1 and "2 label images are left out" in caplog.text
    cv2.imwrite(
        str(image_folder(cityscapes, "val") / "bonn/bonn_000002_000019_leftImg8bit.png"),
        np.zeros((9, 9, 3), np.uint8),
    )
    with pytest.raises(InputError, match="all 3 label images are left out"):
        list(read_cityscapes(cityscapes, "val"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("things: {26: car", "is not YAML"),
        ("26: car", "must have the sections things and regions"),
        ("things: [car]", "things is not a mapping"),
        ("things: {car: 26}", "it must be number: word"),
        ("things: {26: ''}", "it must be number: word"),
        ("things: {26: car}\nregions: {26: road}", "label 26 is among things and regions"),
    ],
)
def test_damaged_words(tmp_path, text, message):
    (tmp_path / "words.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_words(tmp_path / "words.yaml")


def test_command(cityscapes, tmp_path, capsys):
    out = tmp_path / "samples.jsonl"
    assert main(["build-samples", str(out), "--cityscapes", str(cityscapes)]) == 0
    samples = read_samples(out)
    assert samples == list(read_cityscapes(cityscapes, "val"))
    assert capsys.readouterr().out.startswith(f"{len(samples)} samples (9 zero, ")


def test_command_with_words(cityscapes, tmp_path):
    words, out = tmp_path / "words.yaml", tmp_path / "samples.jsonl"
    words.write_text(WORDS)
    assert main(["build-samples", str(out), "--cityscapes", str(cityscapes), "--words", str(words)]) == 0
    assert not any("rider" in sample.text for sample in read_samples(out))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cityscapes", "nowhere"], "splits there: none"),
        (["--cityscapes", ".", "--split", "test"], "splits there: train, val"),
        (["--cityscapes", ".", "--images", "."], "--images goes with --labels"),
        (["--labels", "gtFine"], "--labels needs --images and --words"),
        (["--labels", "gtFine", "--split", "val"], "--split goes with --cityscapes"),
        (["--labels", "leftImg8bit", "--images", "leftImg8bit", "--words", "w.yaml"], "has colours"),
        (["--labels", "empty", "--images", ".", "--words", "w.yaml"], "no label images"),
    ],
)
def test_mistakes_are_one_line(cityscapes, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(cityscapes)
    (cityscapes / "w.yaml").write_text(WORDS)
    (cityscapes / "empty").mkdir()
    assert main(["build-samples", "out.jsonl", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and not (cityscapes / "out.jsonl").exists()
