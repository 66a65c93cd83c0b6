"""Equation 7, against its three steps written out pixel by pixel."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dmmi_core.model.decoder import Aggregate, TextToImageDecoder
from helpers.literal import assert_same_with_gradients, conv_bn_relu, transformer_layer
from helpers.tiny import CONFIG, randomize

CHANNELS, WIDTH, TOKENS = (2, 3, 4, 5), 8, 3
MASK = torch.tensor([[True, True, True], [True, True, False]])


def upsample(x: Tensor, height: int, width: int) -> Tensor:
    """Resize (C, H, W) bilinearly, with aligned corners."""

    def place(index: int, count: int, source: int) -> tuple[int, int, float]:
        exact = index * (source - 1) / (count - 1) if count > 1 else 0.0
        low = min(int(exact), source - 1)
        return low, min(low + 1, source - 1), exact - low

    rows = []
    for v in range(height):
        top, bottom, down = place(v, height, x.shape[1])
        for u in range(width):
            left, right, across = place(u, width, x.shape[2])
            above = x[:, top, left] * (1 - across) + x[:, top, right] * across
            below = x[:, bottom, left] * (1 - across) + x[:, bottom, right] * across
            rows.append(above * (1 - down) + below * down)
    return torch.stack(rows, dim=1).unflatten(1, (height, width))


def phi(module: Aggregate, y: Tensor, skip: Tensor) -> Tensor:
    x = torch.cat([upsample(y, *skip.shape[1:]), skip])
    for block in module.convs:
        x = conv_bn_relu(block, x)
    return x


def psi(module, y: Tensor, text: Tensor, real: list[bool]) -> Tensor:
    pixels = torch.stack([y[:, v, u] for v in range(y.shape[1]) for u in range(y.shape[2])])
    pixels = transformer_layer(module.layer, pixels, text, [True] * len(pixels), real)
    return pixels.T.reshape(y.shape)


def literal_decoder(
    module: TextToImageDecoder, skips: list[Tensor], text: Tensor, real: list[bool]
) -> tuple[Tensor, Tensor]:
    """Compute the score maps and V_g* of one sample."""
    v1, v2, v3, v4 = skips
    y4 = v4
    y3 = psi(module.query3, phi(module.aggregate3, y4, v3), text, real)
    guidance = phi(module.aggregate2, y3, v2)
    y2 = psi(module.query2, guidance, text, real)
    last = conv_bn_relu(module.convs, y2) if module.convs is not None else y2
    if module.aggregate1 is not None:
        last = phi(module.aggregate1, y2, v1)
    weight, bias = module.score.weight[:, :, 0, 0], module.score.get_parameter("bias")
    return torch.einsum("oc,chw->ohw", weight, last) + bias[:, None, None], guidance


@pytest.mark.parametrize("smallest", [(1, 1), (1, 2)], ids=["square", "wide"])
@pytest.mark.parametrize("stride", [4, 8])
def test_decoder(stride, smallest):
    torch.manual_seed(0)
    config = replace(CONFIG, hidden_size=WIDTH, output_stride=stride)
    module = TextToImageDecoder(CHANNELS, config).double().eval()
    randomize(module)
    skips = [
        torch.randn(2, c, *(side * scale for side in smallest), dtype=torch.float64, requires_grad=True)
        for c, scale in zip(CHANNELS, (8, 4, 2, 1), strict=True)
    ]
    text = torch.randn(2, TOKENS, WIDTH, dtype=torch.float64, requires_grad=True)
    expected = [literal_decoder(module, [v[b] for v in skips], text[b], MASK[b].tolist()) for b in range(2)]
    scores, guidance = (torch.stack(maps) for maps in zip(*expected, strict=True))

    decoded = module(skips, text, MASK)

    used = skips if stride == 4 else skips[1:]
    assert_same_with_gradients(decoded.scores, scores, [*used, text, *module.parameters()])
    torch.testing.assert_close(decoded.guidance, guidance)
    assert decoded.scores.shape == (2, 2, *(side * 32 // stride for side in smallest))
    assert [level.shape[2] // smallest[0] for level in decoded.levels] == [2, 4, 8][: len(decoded.levels)]
    assert len(decoded.levels) == (3 if stride == 4 else 2)
