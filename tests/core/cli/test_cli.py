"""The `dmmi` command: its JSON, the files it writes, and one clear line for bad input."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from shutil import copytree
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import yaml

from dmmi_core.cli import main
from dmmi_core.config import PRESETS
from dmmi_core.data.samples import decode_segmentation
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.scenes import read_scenes
from dmmi_core.data.synthesis.validation import validation_samples
from dmmi_core.segmenter import Segmenter
from dmmi_core.visualization.overlay import draw_overlay
from helpers.disk import no_room
from helpers.tiny import ABSENT, CONFIG, PRESENT, RedFinder

HEIGHT, WIDTH = 120, 200
RED = np.zeros((HEIGHT, WIDTH), bool)
RED[10:60, 20:50] = True
RED[80:100, 120:180] = True


@pytest.fixture
def photograph(tmp_path):
    """Two red boxes; its name has a space."""
    path = tmp_path / "my photo.png"
    cv2.imwrite(str(path), RED[..., None] * np.array([0, 0, 255], np.uint8))
    return str(path)


@pytest.fixture
def red_finder(tokenizer, monkeypatch):
    """In place of every model: one that finds red."""
    opened = []

    def open_model(model="dmmi-lite", **options):
        opened.append(model)
        return Segmenter.of_network(RedFinder(), tokenizer, device=options.get("device", "auto"))

    monkeypatch.setattr(Segmenter, "from_pretrained", open_model)
    return opened


def run(capsys, *arguments) -> tuple[int, list[str], list[str]]:
    """Exit status, and the lines on stdout and stderr."""
    status = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return status, output.out.splitlines(), output.err.splitlines()


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert re.fullmatch(r"dmmi \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_json(capsys, photograph, red_finder):
    status, lines, errors = run(capsys, "segment", photograph, PRESENT, ABSENT, "--json", "--device", "cpu")
    assert (status, errors, red_finder) == (0, [], ["dmmi-lite"])
    many, none = (json.loads(line) for line in lines)
    keys = "text status presence presence_threshold height width instances timing_ms".split()  # noqa: SIM905
    assert list(many) == list(none) == keys
    assert (many["text"], many["status"], many["height"], many["width"]) == (PRESENT, "many", HEIGHT, WIDTH)
    assert many["presence"] == pytest.approx(0.9) and many["presence_threshold"] == 0.5
    assert all(isinstance(value, float) for value in many["timing_ms"].values()) and many["timing_ms"]
    assert (none["text"], none["status"], none["instances"]) == (ABSENT, "no_target", [])

    assert [item["id"] for item in many["instances"]] == [1, 2]
    union = np.zeros_like(RED)
    for item in many["instances"]:
        assert list(item) == ["id", "score", "area", "bbox", "segmentation"]
        assert item["segmentation"]["size"] == [HEIGHT, WIDTH]
        mask = decode_segmentation(item["segmentation"], HEIGHT, WIDTH)
        rows, columns = np.nonzero(mask)
        x, y, width, height = item["bbox"]
        assert (x, y, x + width - 1, y + height - 1) == (columns.min(), rows.min(), columns.max(), rows.max())
        assert item["area"] == mask.sum()
        assert 0.5 < item["score"] <= 1
        union |= mask
    assert (union & RED).sum() / (union | RED).sum() > 0.9


def test_one_is_called_one(capsys, photograph, red_finder, tmp_path):
    cv2.imwrite(photograph, np.full((50, 50, 3), (0, 0, 255), np.uint8))
    _, lines, _ = run(capsys, "segment", photograph, PRESENT, "--json")
    assert json.loads(lines[0])["status"] == "one"


def test_sentences(capsys, photograph, red_finder):
    status, lines, _ = run(capsys, "segment", photograph, PRESENT, ABSENT)
    assert status == 0
    assert lines[0].startswith(f"{PRESENT}: 2 found (presence 0.90): ")
    assert lines[1] == "dog: no target (presence 0.10)"


def test_overlay_and_mask(capsys, photograph, red_finder, tmp_path):
    overlay, mask = tmp_path / "overlay.png", tmp_path / "mask.png"
    assert run(capsys, "segment", photograph, PRESENT, "--overlay", overlay, "--mask", mask)[0] == 0
    image = cv2.imread(photograph, cv2.IMREAD_COLOR_RGB)
    result = Segmenter.from_pretrained()(image, PRESENT)
    assert np.array_equal(cv2.imread(str(mask), cv2.IMREAD_UNCHANGED), result.mask * np.uint8(255))
    assert np.array_equal(cv2.imread(str(overlay), cv2.IMREAD_COLOR_RGB), draw_overlay(image, result))


def test_files_of_several_texts_are_numbered(capsys, photograph, red_finder, tmp_path):
    mask = tmp_path / "out" / "mask.v1.png"
    mask.parent.mkdir()
    assert run(capsys, "segment", photograph, PRESENT, ABSENT, "--mask", mask)[0] == 0
    assert sorted(path.name for path in mask.parent.iterdir()) == ["mask.v1-1.png", "mask.v1-2.png"]
    first, second = (cv2.imread(str(path)) for path in sorted(mask.parent.iterdir()))
    assert first.any() and not second.any()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 1, 3), np.uint8),
        ((40, 50), np.uint8),
        ((40, 50, 4), np.uint8),
        ((40, 50, 3), np.uint16),
        ((40, 50), np.uint16),
    ],
    ids=["1 x 1", "grey", "RGBA", "16 bits", "16 bits grey"],
)
def test_odd_pictures_work(capsys, tmp_path, model_folder, shape, dtype):
    path = tmp_path / "odd.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype))
    overlay = tmp_path / "overlay.png"
    arguments = ["--model", model_folder, "--json", "--device", "cpu", "--overlay", overlay]
    status, lines, errors = run(capsys, "segment", path, "the dog", *arguments)
    assert (status, errors) == (0, [])
    answer = json.loads(lines[0])
    assert (answer["height"], answer["width"]) == shape[:2]
    assert cv2.imread(str(overlay)).shape == (*shape[:2], 3)


def test_an_overlay_without_room(capsys, photograph, red_finder, tmp_path):
    cv2.imwrite(photograph, np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    overlay = tmp_path / "overlay.png"
    overlay.write_bytes(b"old")
    with no_room():
        status, _, errors = run(capsys, "segment", photograph, PRESENT, "--overlay", overlay)
    assert status == 2 and len(errors) == 1
    assert re.match(rf"dmmi: cannot write {overlay}: File too large; it needs \d+\.\d kB, ", errors[0])
    assert overlay.read_bytes() == b"old"


def half(path):
    path.write_bytes(cv2.imencode(".jpg", np.zeros((99, 99, 3), np.uint8))[1].tobytes()[:300])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "no such image file: "),
        (lambda path: path.mkdir(), "no such image file: "),
        (lambda path: path.write_bytes(b""), "not an image that can be read: "),
        (lambda path: path.write_text("hello"), "not an image that can be read: "),
        (half, "not an image that can be read: "),
    ],
    ids=["missing", "folder", "empty", "text", "half"],
)
def test_bad_image_files(capsys, tmp_path, red_finder, write, message):
    path = tmp_path / "a.png"
    write(path)
    assert run(capsys, "segment", path, "the dog") == (2, [], [f"dmmi: {message}{path}"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "the text is empty: say what to look for"),
        (["the dog", " "], "the text is empty: say what to look for"),
        (
            ["dog", "--model", "nowhere"],
            "no model 'nowhere': give a folder with config.json and model.safetensors",
        ),
        (["dog", "--model", "."], "is not a model folder: it has no config.json"),
        (["dog", "--device", "gpu"], "device 'gpu' cannot be used"),
        (["dog", "--device", "cuda:77"], "device 'cuda:77' cannot be used"),
        (["dog", "--mask", "nowhere/mask.png"], "cannot write nowhere/mask.png: does its folder exist?"),
        (["dog", "--mask", "mask"], "cannot write mask: the name must end in .png or .jpg"),
        (["dog", "--overlay", "mask.txt"], "cannot write mask.txt: the name must end in .png or .jpg"),
    ],
)
def test_bad_arguments(capsys, photograph, model_folder, tmp_path, monkeypatch, arguments, message):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    model = [] if "--model" in arguments else ["--model", model_folder]
    status, _, errors = run(capsys, "segment", photograph, *arguments, *model)
    assert status == 2
    assert len(errors) == 1 and errors[0].startswith("dmmi: ") and message in errors[0]
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_damaged_models(capsys, photograph, model_folder, tmp_path, name, hostile_pickle):
    folder = copytree(model_folder, tmp_path / "model")
    hostile_pickle(folder / name)
    status, lines, errors = run(capsys, "segment", photograph, "dog", "--model", folder)
    assert (status, lines) == (2, [])
    assert len(errors) == 1 and errors[0].startswith("dmmi: ") and str(folder) in errors[0]


def test_broken_weights_are_said_once(photograph, model_folder, tmp_path):
    """In a process of its own, whose log nobody else keeps."""
    folder = copytree(model_folder, tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    command = [sys.executable, "-m", "dmmi_core.cli", "segment", photograph, "dog", "--model", folder]
    process = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "DMMI_CACHE": tmp_path}
    )
    said = process.stderr.splitlines()
    assert process.returncode == 2
    assert [line.startswith("dmmi: ") for line in said[-1:]] == [True] and "is damaged" in said[-1]
    assert len([line for line in said if "damaged" in line]) == 1, said


@pytest.mark.parametrize("arguments", [[], ["segment"], ["segment", "a.png"], ["fly"], ["evaluate"]], ids=str)
def test_wrong_usage(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: dmmi" in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(capsys, photograph, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Segmenter, "from_pretrained", interrupt)
    assert run(capsys, "segment", photograph, "dog") == (130, [], [])


def test_an_interrupt_before_the_command_begins_is_no_traceback(monkeypatch):
    def interrupt(argv):
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "dmmi_core.cli.parser", SimpleNamespace(run=interrupt))
    assert main(["segment"]) == 130


def test_as_a_process(photograph, model_folder):
    """A text of 2 000 words is cut, and said to be; nothing else is on stderr."""
    command = [sys.executable, "-m", "dmmi_core.cli", "segment", photograph, "the dog " * 1000, "--json"]
    process = subprocess.run(
        [*command, "--model", model_folder, "--device", "cpu"], capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0
    assert json.loads(process.stdout)["text"] == "the dog " * 1000
    (line,) = process.stderr.splitlines()
    assert line.startswith("dmmi: the text has 2002 word pieces; only the first 20 are read")


@pytest.fixture
def recipe(tmp_path, pictures, weights, monkeypatch):
    """A recipe file for the tiny network."""
    monkeypatch.setitem(PRESETS, "tiny", replace(CONFIG, contrast=False))
    values = {
        "model": "tiny",
        "data": {"images": str(pictures.parent), "annotations": str(pictures), "validation_share": 4},
        "output": str(tmp_path / "out"),
        "backbone_weights": str(weights / "backbone.pth"),
        "text_weights": str(weights / "text"),
        "image_size": 64,
        "steps": 2,
        "batch_size": 2,
        "workers": 0,
        "device": "cpu",
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_train_then_segment(capsys, recipe, photograph, tmp_path):
    assert run(capsys, "train", recipe, "steps=1", "log_every=1")[0] == 0
    assert len((tmp_path / "out" / "log.jsonl").read_text().splitlines()) == 1
    arguments = ["--model", tmp_path / "out" / "model", "--device", "cpu", "--json"]
    status, lines, _ = run(capsys, "segment", photograph, "the dog", *arguments)
    assert status == 0 and json.loads(lines[0])["text"] == "the dog"


def test_training_without_room(capsys, recipe, tmp_path):
    with no_room(60_000):
        status, lines, errors = run(capsys, "train", recipe, "steps=1")
    assert (status, lines) == (2, [])
    assert re.match(r"dmmi: cannot write .*training\.pt: .*; it needs .*B, .* are free there", errors[-1])
    assert not any("Traceback" in line for line in errors)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nowhere.yaml"], "cannot read recipe nowhere.yaml"),
        (["train", "RECIPE", "stepz=1"], "unknown key stepz; did you mean steps?"),
        (["train", "RECIPE", "data.images=nowhere"], "no such image file: nowhere/"),
        (["train", "RECIPE", "data.annotations=nowhere"], "cannot read nowhere"),
        (["train", "RECIPE", "text_weights=nowhere"], "no such file or folder: nowhere"),
        (["evaluate", "--samples", "nowhere.jsonl", "--images", "."], "cannot read nowhere.jsonl"),
        (["evaluate", "--samples", "nowhere.jsonl"], "--samples needs --images"),
        (["evaluate", "--recipe", "nowhere.yaml"], "cannot read recipe nowhere.yaml"),
    ],
)
def test_other_commands_report_mistakes_likewise(capsys, recipe, arguments, message):
    status, lines, errors = run(capsys, *[recipe if item == "RECIPE" else item for item in arguments])
    assert (status, lines) == (2, [])
    assert errors[-1].startswith("dmmi: ") and message in errors[-1]
    assert not any("Traceback" in line for line in errors)


def test_evaluate_the_validation_split_of_a_recipe(capsys, recipe, pictures, tmp_path, red_finder):
    """The photographs that are trained on need not even be there."""
    folder = copytree(pictures.parent, tmp_path / "pictures")
    kept = [scene for scene in read_scenes(pictures) if is_validation(scene.image, 4)]
    for path in folder.glob("*.png"):
        if path.name not in {scene.image for scene in kept}:
            path.unlink()
    status, lines, errors = run(capsys, "evaluate", "--json", "--recipe", recipe, f"data.images={folder}")
    assert (status, errors) == (0, [])
    scores = json.loads(lines[0])
    samples = validation_samples(kept)
    assert sum(scores[kind] for kind in ("zero", "one", "many")) == len(samples) > 20
