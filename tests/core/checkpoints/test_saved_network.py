"""Our model format: written whole or not at all, read back exactly, refused with one line when damaged."""

import json
import os
import signal
from dataclasses import replace
from shutil import copytree

import pytest
import torch
from safetensors.torch import load_file, save_file

from dmmi_core import shipped_files
from dmmi_core.checkpoints.model_folder import find_model
from dmmi_core.checkpoints.saved_network import load_model, save_model
from dmmi_core.errors import ModelError
from dmmi_core.files import replaced_folder
from dmmi_core.tokenizer import tokenize
from helpers.tiny import CONFIG, FAMILIES, TEXT_ENCODER, make_model


@pytest.fixture
def folder(model_folder, tmp_path):
    """A copy of the tiny model, to be damaged."""
    return copytree(model_folder, tmp_path / "model")


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_round_trip(tmp_path, tokenizer, family):
    model = make_model(replace(CONFIG, **FAMILIES[family]))
    save_model(model, tokenizer, tmp_path / "model", dtype=torch.float32)
    loaded, loaded_tokenizer = load_model(tmp_path / "model")
    assert not loaded.training
    assert loaded.config == replace(model.config, reconstruct=False, contrast=False)
    image = torch.randn(1, 3, 64, 96)
    ids, mask = tokenize(loaded_tokenizer, ["the two dogs"], 20)
    assert torch.equal(ids, tokenize(tokenizer, ["the two dogs"], 20)[0])
    expected, actual = (net(image, net.encode_text(ids, mask), mask) for net in (model, loaded))
    assert torch.equal(actual.logits, expected.logits) and torch.equal(actual.presence, expected.presence)


def test_models_with_the_norm_of_a_skip_that_nothing_reads_still_load(tmp_path, tokenizer):
    """Earlier versions saved it with output stride 8."""
    model = make_model(replace(CONFIG, **FAMILIES["swin"], output_stride=8))
    folder = tmp_path / "model"
    save_model(model, tokenizer, folder, dtype=torch.float32)
    state = load_file(folder / "model.safetensors")
    width = model.visual.channels[0]
    former = {f"fusions.0.skip_norm.{name}": torch.ones(width) for name in ("weight", "bias")}
    assert not former.keys() & state.keys() and "fusions.1.skip_norm.weight" in state
    save_file(state | former, folder / "model.safetensors")
    loaded = load_model(folder)[0].state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


def test_what_is_stored(folder):
    """Half precision for matrices only, and nothing that only training needs."""
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert folder.stat().st_mode & 0o777 == 0o755
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in folder.iterdir()), "every user may read it"
    original, stored = make_model().state_dict(), load_file(folder / "model.safetensors")
    assert stored.keys() == {k for k in original if not k.startswith(("recovery.", "pooling."))}
    for key, value in stored.items():
        wide = original[key].is_floating_point() and original[key].dim() > 1
        assert value.dtype == (torch.float16 if wide else original[key].dtype), key
        torch.testing.assert_close(value.to(original[key].dtype), original[key], rtol=1e-3, atol=1e-6)
    assert {value.dtype for value in load_model(folder)[0].parameters()} == {torch.float32}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"is not a model folder: it has no {name}"):
        load_model(folder)


def change_config(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def write(name: str, content: bytes):
    return lambda folder: (folder / name).write_bytes(content)


def halve(name: str):
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def text_encoder(**changes):
    return change_config(text_encoder={**vars(TEXT_ENCODER), **changes})


def many_numbers(folder):
    """A network of 1.1 billion numbers that would take seconds and gigabytes to build."""
    text = {
        "hidden_size": 8192,
        "num_attention_heads": 8,
        "intermediate_size": 65_536,
        "num_hidden_layers": 1,
    }
    text_encoder(**text)(folder)


DAMAGES = {
    **{f"{name}: empty": write(name, b"") for name in ("config.json", "model.safetensors", "tokenizer.json")},
    **{f"{name}: half": halve(name) for name in ("config.json", "model.safetensors", "tokenizer.json")},
    **{f"{name}: noise": write(name, b"\x00\xff\x80" * 99) for name in ("config.json", "model.safetensors")},
    **{f"{name}: list": write(name, b"[]") for name in ("config.json", "tokenizer.json")},
    **{f"{name}: null": write(name, b"null") for name in ("config.json", "tokenizer.json")},
    "tokenizer_config.json: list": write("tokenizer_config.json", b"[]"),
    "no tokenizer": lambda folder: [path.unlink() for path in folder.glob("tokenizer*")],
    "unknown key": change_config(colour="red"),
    "text for a number": change_config(image_size="big"),
    "null for a list": change_config(image_mean=None),
    "short list": change_config(image_mean=[0.5]),
    "number for a section": change_config(text_encoder=5),
    "no heads": change_config(decoder_heads=0),
    "negative size": change_config(hidden_size=-16),
    "dropout": change_config(decoder_dropout=7),
    "unknown backbone": change_config(backbone="no_such_net"),
    "number for a backbone": change_config(backbone=3),
    "unsupported backbone": change_config(backbone="test_vit"),
    "another backbone": change_config(backbone="test_resnet"),
    "unknown backbone argument": change_config(backbone_args={"colour": "red"}),
    "reserved backbone argument": change_config(backbone_args={"pretrained": True}),
    "other width": change_config(hidden_size=32),
    "other vocabulary": text_encoder(vocab_size=10),
    "regions of another type": change_config(image_regions=[1, 3.0, 5]),
    "a network of many numbers": many_numbers,
    "endless layers": text_encoder(num_hidden_layers=1_000_000),
    "endless stages": change_config(backbone_args={"depths": [2, 2, 10**6, 2]}),
    "config.json: nested": write("config.json", b"[" * 100_000),
    "config.json: device": lambda folder: [
        (folder / "config.json").unlink(),
        (folder / "config.json").symlink_to("/dev/zero"),
    ],
    "heads of the text encoder": text_encoder(num_attention_heads=5),
    "text for the text encoder": text_encoder(hidden_size="a"),
}


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_reported_in_one_line(folder, damage):
    damage(folder)
    with pytest.raises(ModelError) as error:
        load_model(folder)
    assert "\n" not in str(error.value)


def test_pickles_are_never_read(folder, hostile_pickle):
    for name in ("model.bin", "pytorch_model.bin", "model.pth"):
        hostile_pickle(folder / name)
    load_model(folder)
    hostile_pickle(folder / "model.safetensors")
    with pytest.raises(ModelError, match="damaged"):
        load_model(folder)


def test_a_configuration_cannot_name_a_pickle(folder, hostile_pickle):
    hostile_pickle(folder / "weights.pth")
    change_config(backbone_args={"checkpoint_path": str(folder / "weights.pth")})(folder)
    with pytest.raises(ModelError):
        load_model(folder)


def test_find_model(tmp_path, folder):
    assert find_model(folder) == find_model(str(folder)) == folder
    for name in ("nowhere", tmp_path / "nowhere"):
        with pytest.raises(ModelError, match=r"no model .*: give a folder with config\.json and"):
            find_model(name)


@pytest.mark.parametrize("place", ["checkout/models", "prefix/share/dmmi/models"])
def test_shipped_models_are_found_by_name(tmp_path, monkeypatch, place):
    shipped = tmp_path / place / "some-model"
    shipped.mkdir(parents=True)
    (shipped / "config.json").touch()
    package = {"checkout": "checkout", "prefix": "prefix/lib/python3.11/site-packages"}[
        place.partition("/")[0]
    ]
    monkeypatch.setattr(shipped_files, "__file__", str(tmp_path / package / "dmmi_core" / "shipped_files.py"))
    monkeypatch.chdir(tmp_path)
    assert find_model("some-model") == shipped


@pytest.fixture(params=[False, True], ids=["new", "existing"])
def target(request, tmp_path):
    """A folder to be replaced."""
    folder = tmp_path / "target"
    if request.param:
        folder.mkdir()
        (folder / "old").write_text("old")
    return folder


def content(folder) -> list[str] | None:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else None


def test_a_folder_is_replaced_as_a_whole(target):
    before = content(target)
    with replaced_folder(target) as new:
        (new / "a").write_text("a")
        assert content(target) == before, "nothing is seen before the end"
        (new / "b").write_text("b")
    assert content(target) == ["a", "b"]
    assert content(target.parent) == ["target"], "nothing is left lying about"


def test_an_error_leaves_the_folder_as_it_was(target):
    before = content(target)
    with pytest.raises(KeyboardInterrupt), replaced_folder(target) as new:
        (new / "a").write_text("a")
        raise KeyboardInterrupt
    assert content(target) == before
    assert content(target.parent) == ([] if before is None else ["target"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_kill_leaves_the_folder_as_it_was(target):
    before = content(target)
    child = os.fork()
    if child == 0:
        with replaced_folder(target) as new:
            (new / "a").write_text("a")
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert content(target) == before
    with replaced_folder(target) as new:  # and the next save succeeds
        (new / "b").write_text("b")
    assert content(target) == ["b"]
