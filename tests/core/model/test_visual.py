"""Backbones cut into stages compute what timm's whole models compute, at any size."""

import pytest
import timm
import torch

from dmmi_core.errors import ModelError
from dmmi_core.model.visual import VisualEncoder, create_backbone
from helpers.tiny import FAMILIES, randomize

# Swin's windows are 4 x 4 here, and some maps are no multiple of that.
SIZES = [(64, 64), (64, 96), (160, 32), (32, 32)]


def make(family: str) -> tuple[VisualEncoder, torch.nn.Module]:
    """Return the encoder, and a timm model with the same weights."""
    settings = FAMILIES[family]
    arguments = settings.get("backbone_args", {})
    torch.manual_seed(0)
    encoder = VisualEncoder(settings["backbone"], **arguments)
    whole = create_backbone(settings["backbone"], **arguments)
    randomize(whole)
    encoder.load_backbone(whole.state_dict())
    return encoder.eval(), whole.eval()


def run(encoder: VisualEncoder, image: torch.Tensor) -> list[torch.Tensor]:
    x, maps = encoder.stem(image), []
    for stage in encoder.stages:
        x = stage(x)
        maps.append(x)
    return maps


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_stages_are_those_of_timm(family, size):
    encoder, whole = make(family)
    image = torch.randn(2, 3, *size)
    maps = run(encoder, image)
    for stride, channels, map_ in zip((4, 8, 16, 32), encoder.channels, maps, strict=True):
        assert map_.shape == (2, channels, size[0] // stride, size[1] // stride)
    expected = whole.forward_intermediates(image, intermediates_only=True)[-4:]
    for actual, reference in zip(maps, expected, strict=True):
        torch.testing.assert_close(actual, reference)


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_of_a_batch_are_independent(family):
    encoder, _ = make(family)
    images = torch.randn(3, 3, 64, 96)
    for together, alone in zip(run(encoder, images), run(encoder, images[1:2]), strict=True):
        torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-4)


def without(key: str):
    return lambda state: {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize(
    "damage",
    [
        without("layer3.0.conv1.weight"),
        lambda state: {**state, "layer9.weight": torch.zeros(1)},
        lambda state: {**state, "conv1.weight": torch.zeros(1)},
        lambda state: {},
    ],
    ids=["missing", "unexpected", "shape", "empty"],
)
def test_weights_that_do_not_fit_are_refused(damage):
    encoder = VisualEncoder("test_resnet")
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    state = damage(timm.create_model("test_resnet").state_dict())
    with pytest.raises(ModelError, match="do not fit"):
        encoder.load_backbone(state)
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())


def test_the_classifier_is_ignored():
    state = timm.create_model("test_resnet", num_classes=7).state_dict()
    VisualEncoder("test_resnet").load_backbone(state)


@pytest.mark.parametrize(
    ("name", "message"), [("no_such_net", "timm has no model 'no_such_net'"), ("test_vit", "not supported")]
)
def test_other_backbones_are_refused(name, message):
    with pytest.raises(ModelError, match=message):
        VisualEncoder(name)
