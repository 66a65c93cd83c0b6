"""`dmmi convert`: a model folder of a released checkpoint, all of it or nothing; no foreign code is run."""

import json
import os
import signal
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from transformers import BertTokenizerFast

from dmmi_core import Segmenter
from dmmi_core.checkpoints import pretrained, saved_network
from dmmi_core.checkpoints.pretrained import read_weights
from dmmi_core.checkpoints.released import convert, read_released
from dmmi_core.checkpoints.released_names import released_name
from dmmi_core.checkpoints.saved_network import load_model
from dmmi_core.cli import main
from dmmi_core.config import TextEncoderConfig, preset
from dmmi_core.data.collate import Collate
from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.data.target import make_target
from dmmi_core.errors import ModelError, OutputError
from dmmi_core.model import Dmmi
from dmmi_core.model.dmmi import EncodedText
from dmmi_core.tokenizer import load_tokenizer, tokenize
from dmmi_core.training.initialization import initial_model
from dmmi_core.training.recipe import Recipe

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "two", "red", "cups", "on", "left", "a", "dog"]
TEXT_ENCODER = TextEncoderConfig(
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=1,
    intermediate_size=32,
    vocab_size=len(WORDS),
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
SWIN = {"embed_dim": 16, "depths": [2, 1, 3, 1], "num_heads": [1, 2, 4, 8], "window_size": 5}
NORM = "backbone.norm0.bias"
TABLE = "backbone.layers.0.blocks.0.attn.relative_position_bias_table"
RESNET = {"layers": [1, 2, 1, 1], "channels": [4, 8, 16, 32]}
SMALL = {"image_size": 64, "text_encoder": TEXT_ENCODER, "hidden_size": 64, "feedforward_size": 48}


def small(name: str) -> Dmmi:
    config = preset(name)
    sizes = SWIN if config.backbone.startswith("swin") else RESNET
    torch.manual_seed(0)
    return Dmmi(replace(config, backbone_args={**config.backbone_args, **sizes}, **SMALL)).eval()


def as_released(model: Dmmi) -> dict:
    """What the authors' code would have saved, with the tensors that nothing uses."""
    state = {released_name(key, model.config): value for key, value in model.state_dict().items()}
    bert = {key.removeprefix("bert_model."): state.pop(key) for key in list(state) if "bert_model" in key}
    for part in ("transformer_fusion1", "transformer_fusion2", "lan_func"):
        state[f"classifier.{part}.decoder_layer.norm1.weight"] = torch.ones(64)
    if model.config.normalize_skips:
        state["backbone.layers.3.res_gate.0.weight"] = torch.ones(128, 128)
        state["backbone.layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(25, 25).long()
    return {
        "model": state,
        "bert_model": bert,
        "optimizer": {
            "state": {0: {"step": torch.tensor(3.0)}},
            "param_groups": [{"lr": 5e-5, "params": [0]}],
        },
        "epoch": 3,
        "args": Namespace(img_size=64, model="dmmi_swin", swin_type="base"),
        "lr_scheduler": {"last_epoch": 3, "lr_lambdas": [None]},
    }


@pytest.fixture(scope="module", params=["dmmi-swin-base-released", "dmmi-resnet101-released"])
def model(request) -> Dmmi:
    return small(request.param)


@pytest.fixture(scope="module")
def swin() -> Dmmi:
    return small("dmmi-swin-base-released")


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("words")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return str(folder)


def write(tmp_path: Path, contents) -> Path:
    torch.save(contents, tmp_path / "released.pth")
    return tmp_path / "released.pth"


def leftovers(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()} - {"released.pth"}


@torch.no_grad()
def test_the_folder_holds_the_same_network(model, words, tmp_path):
    convert(write(tmp_path, as_released(model)), tmp_path / "out", tokenizer=words)
    assert leftovers(tmp_path) == {"out"}
    converted, tokenizer = load_model(tmp_path / "out")
    assert converted.config == model.config
    assert tokenizer.tokenize("the two dogs") == ["the", "two", "[UNK]"]
    state = model.state_dict()
    assert converted.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[key]) for key, value in converted.state_dict().items())


def test_a_prefix_of_several_gpus_is_stripped_and_said(swin, words, tmp_path, caplog):
    contents = as_released(swin)
    for part in ("model", "bert_model"):
        contents[part] = {f"module.{key}": value for key, value in contents[part].items()}
    with caplog.at_level("INFO"):
        convert(write(tmp_path, contents), tmp_path / "out", tokenizer=words)
    assert "the prefix module." in caplog.text
    state = load_model(tmp_path / "out")[0].state_dict()
    assert all(torch.equal(value, state[key]) for key, value in swin.state_dict().items())


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_a_tokenizer_folder_of_one_file(name, swin, words, tmp_path):
    """As documented for machines without a network: the converted model can be trained on."""
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / name).write_bytes((Path(words) / name).read_bytes())
    convert(write(tmp_path, as_released(swin)), tmp_path / "out", tokenizer=str(tmp_path / "words"))
    tokenizer = load_tokenizer(tmp_path / "out")
    ids, mask = tokenize(tokenizer, ["the [MASK] dog", "dog"], 20)
    assert ids[1].tolist() == [2, 12, 3, *[0] * (ids.shape[1] - 3)] and mask[1].sum() == 3
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id) == (0, 4)
    assert tokenizer.mask_token_id not in ids


def test_another_tokenizer_is_refused(swin, tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "vocab.txt").write_text("\n".join(WORDS[1:]) + "\n")
    with pytest.raises(ModelError, match=r"words is not BERT's: it has no \[PAD\]"):
        convert(write(tmp_path, as_released(swin)), tmp_path / "out", tokenizer=str(tmp_path / "words"))


def test_the_checkpoint_is_looked_for_before_a_hub_is_asked(tmp_path, monkeypatch):
    def ask(*_, **__):
        raise AssertionError("asked the hub")

    monkeypatch.setattr(pretrained, "snapshot_download", ask)
    with pytest.raises(ModelError, match=r"cannot read .*absent\.pth"):
        convert(tmp_path / "absent.pth", tmp_path / "out")


def test_training_goes_on_from_the_folder(model, words, tmp_path):
    convert(write(tmp_path, as_released(model)), tmp_path / "out", tokenizer=words)
    data = DataRecipe("images", "annotations")
    recipe = Recipe(str(tmp_path / "out"), data, "runs", "unused", "unused", image_size=96, steps=1)
    start, tokenizer = initial_model(recipe)
    assert start.config == replace(model.config, image_size=96)
    assert torch.equal(start.recovery.layer.linear1.weight, model.recovery.layer.linear1.weight)
    assert len(tokenizer) == len(WORDS)
    with pytest.raises(ModelError, match="no preset 'nowhere'"):
        initial_model(replace(recipe, model="nowhere"))


def test_images_of_any_shape(model):
    ids, mask = torch.tensor([[2, 5, 6, 3, 0]]), torch.tensor([[True, True, True, True, False]])
    for size in [(64, 96), (50, 94), (33, 64)]:
        text = model.encode_text(ids, mask)
        assert model(torch.randn(1, 3, *size), text, mask).logits.shape == (1, 2, *size)


def test_images_are_resized_as_pillow_does(swin, words, tmp_path):
    convert(write(tmp_path, as_released(swin)), tmp_path / "out", tokenizer=words)
    segmenter = Segmenter.from_pretrained(tmp_path / "out", engine="torch", device="cpu")
    seen, score = [], segmenter.engine.score
    segmenter.engine.score = lambda images, *others: seen.append(images) or score(images, *others)
    for size in [(300, 200), (90, 40), (33, 500)]:
        image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
        expected = Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR)
        segmenter(image, "the cups")
        assert np.abs(seen.pop()[0].astype(int) - np.asarray(expected)).max() <= 1


@torch.inference_mode()
def test_texts_are_padded_to_the_length_of_training(model, words, tmp_path):
    """Alone or beside a longer one, and long ones lose their end, as the released code has it."""
    convert(write(tmp_path, as_released(model)), tmp_path / "out", tokenizer=words)
    segmenter = Segmenter.from_pretrained(tmp_path / "out", engine="torch", device="cpu")
    short, long = (segmenter._encoded(text) for text in ("the cups", "the " * 40))
    assert short.features.shape == long.features.shape == (20, 64)
    assert (short.mask.sum(), long.mask.sum()) == (4, 20)
    batch = Collate(load_tokenizer(tmp_path / "out"), 20, fill=True)(
        [(np.zeros((8, 8, 3), np.uint8), make_target([], [], (8, 8)), "the", 0)]
    )
    assert batch.ids.tolist() == batch.erased_ids.tolist() == [[2, 5, 3] + 17 * [0]]
    network, image = load_model(tmp_path / "out")[0], torch.randn(1, 3, 64, 64)
    ids = torch.tensor([[2, 5, 8, 3] + 16 * [0]])
    padded = network(image, network.encode_text(ids, ids > 0), ids > 0)
    found = network(image, EncodedText(short.features[None]), short.mask[None])
    torch.testing.assert_close(found.logits, padded.logits)


def test_command_line(swin, words, tmp_path, capsys):
    path, out = write(tmp_path, as_released(swin)), tmp_path / "out"
    assert main(["convert", str(path), str(out), "--tokenizer", words]) == 0
    assert "dmmi segment" in capsys.readouterr().out
    cv2.imwrite(str(tmp_path / "image.png"), np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    segment = ["segment", str(tmp_path / "image.png"), "the cups", "--model", str(out), "--json"]
    assert main([*segment, "--engine", "torch"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["height"], result["width"]) == (40, 60)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["model"].pop("classifier.conv1_1.bias"), "missing tensors: classifier.conv1_1.bias;"),
        (lambda c: c["model"].pop("backbone.patch_embed.proj.weight"), "missing.*patch_embed.proj.weight"),
        (lambda c: c["bert_model"].pop("embeddings.LayerNorm.bias"), "bert_model.embeddings.LayerNorm.bias;"),
        (lambda c: c["model"].update(extra=torch.ones(2)), "unexpected tensors: extra"),
        (lambda c: c["model"].update({NORM: torch.ones(7)}), r"norm0.bias has the shape \(7,\), not \(16,\)"),
        (lambda c: c["model"].update({TABLE: torch.ones(81)}), "not a released checkpoint"),
        (lambda c: c["model"].update({TABLE: torch.ones(81, 3)}), "not a released checkpoint|has the shape"),
        (lambda c: c["model"].update({NORM: 3}), "no dictionary of tensors called 'model'"),
        (lambda c: c.pop("bert_model"), "not a released checkpoint.*'bert_model'"),
        (lambda c: c.update(args=Namespace(img_size=50)), "image_size is 50"),
    ],
)
def test_what_does_not_fit_is_named(change, message, swin, words, tmp_path):
    contents = as_released(swin)
    change(contents)
    with pytest.raises(ModelError, match=message) as error:
        convert(write(tmp_path, contents), tmp_path / "out", tokenizer=words)
    assert "\n" not in str(error.value)
    assert not leftovers(tmp_path)


class Evil:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_hostile_pickles_are_refused(swin, words, tmp_path, capsys):
    contents = as_released(swin) | {"args": Namespace(img_size=64, evil=Evil(tmp_path / "ran"))}
    path = write(tmp_path, contents)
    assert main(["convert", str(path), str(tmp_path / "out"), "--tokenizer", words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "refused: it holds posix.system, which could run code" in error
    assert not leftovers(tmp_path)


def test_the_allowance_ends_with_the_conversion(swin, tmp_path):
    path = write(tmp_path, as_released(swin))
    read_released(path)
    assert Namespace not in torch.serialization.get_safe_globals()
    with pytest.raises(ModelError, match=r"argparse\.Namespace"):
        read_weights(path)


@pytest.mark.parametrize("contents", [b"", b"hello\n", b"PK\x03\x04 no archive"])
def test_other_files_are_refused(contents, words, tmp_path):
    (tmp_path / "released.pth").write_bytes(contents)
    with pytest.raises(ModelError, match=r"released\.pth"):
        convert(tmp_path / "released.pth", tmp_path / "out", tokenizer=words)
    with pytest.raises(ModelError, match="No such file"):
        convert(tmp_path / "absent.pth", tmp_path / "out", tokenizer=words)
    assert not leftovers(tmp_path)


def test_wrong_choices_are_refused(swin, words, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = write(tmp_path, as_released(swin))
    with pytest.raises(ModelError, match="of dmmi-swin-base-released, not of dmmi-resnet101-released"):
        convert(path, tmp_path / "out", tokenizer=words, model_name="dmmi-resnet101-released")
    with pytest.raises(
        ModelError, match=r"no such file or folder: no/such, .* download .*vocab\.txt into a f"
    ):
        convert(path, tmp_path / "out", tokenizer="no/such")
    with pytest.raises(ModelError, match="exists"):
        convert(path, tmp_path, tokenizer=words)
    tokenizer = BertTokenizerFast.from_pretrained(words)
    tokenizer.add_tokens(["zebra"])
    tokenizer.save_pretrained(tmp_path / "more")
    with pytest.raises(ModelError, match="14 word pieces, but the model only knows 13"):
        convert(path, tmp_path / "out", tokenizer=str(tmp_path / "more"))


KILLED = """
import os, signal, sys
from pathlib import Path
from dmmi_core.checkpoints import saved_network
from dmmi_core.cli import main

def save_half(state, path, **_):
    Path(path).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

saved_network.save_file = save_half
main(sys.argv[1:])
"""


def test_a_killed_conversion_leaves_no_model(swin, words, tmp_path):
    path, out = write(tmp_path, as_released(swin)), tmp_path / "out"
    command = [sys.executable, "-c", KILLED, "convert", str(path), str(out), "--tokenizer", words]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert not out.exists()
    convert(path, out, tokenizer=words)
    load_model(out)


def test_a_failed_conversion_leaves_nothing(swin, words, tmp_path, monkeypatch):
    def no_space(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved_network, "save_file", no_space)
    with pytest.raises(OutputError, match=r"cannot write .*out: No space left on device; it needs .* MB"):
        convert(write(tmp_path, as_released(swin)), tmp_path / "out", tokenizer=words)
    assert not leftovers(tmp_path)
