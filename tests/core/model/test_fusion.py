"""Fusion of a stage with the attended features, against its steps written out."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from dmmi_core.model.fusion import StageFusion
from helpers.literal import layer_norm
from helpers.tiny import CONFIG, randomize

CHANNELS = 3
MASK = torch.tensor([[True, True, True], [True, False, False]])


def make(**changes) -> tuple[StageFusion, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    fusion = StageFusion(CHANNELS, replace(CONFIG, **changes)).double()
    randomize(fusion)
    return fusion, torch.randn(2, CHANNELS, 2, 5).double(), torch.randn(2, 3, CONFIG.hidden_size).double()


def pointwise(conv: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    bias = 0 if conv.bias is None else conv.bias[:, None, None]
    return torch.einsum("oc,bchw->bohw", conv.weight[:, :, 0, 0], x) + bias


@pytest.mark.parametrize("normalize", [False, True])
def test_gated_residual_for_the_image_and_residual_for_the_text(normalize):
    fusion, x, text = make(normalize_skips=normalize)
    attended = fusion.to_image(x, text, MASK)
    joint = F.gelu(pointwise(fusion.joint, F.gelu(pointwise(fusion.visual, x)) * attended))
    gate = pointwise(fusion.gate[2], pointwise(fusion.gate[0], joint).clamp(min=0)).tanh()
    image = x + gate * joint
    skip = image
    if normalize:
        columns = [
            layer_norm(column, fusion.skip_norm) for column in joint.movedim(1, 3).reshape(-1, CHANNELS)
        ]
        skip = torch.stack(columns).reshape(2, 2, 5, CHANNELS).movedim(3, 1)
    refined = text + F.gelu(fusion.text(fusion.to_text(x, text, MASK)))
    for actual, expected in zip(fusion(x, text, MASK), (image, skip, refined), strict=True):
        torch.testing.assert_close(actual, expected)


def test_without_the_second_direction_the_text_goes_on_as_it_is():
    fusion, x, text = make(bidirectional=False)
    assert fusion(x, text, MASK).text is text
    assert fusion.to_text is None
