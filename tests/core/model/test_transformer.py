"""The Transformer layer of both decoders, one head and query at a time, and its position codes."""

import math
from dataclasses import replace

import pytest
import torch

from dmmi_core.config import DmmiConfig
from dmmi_core.model.transformer import PixelTransformer, decoder_layer, sine_positions
from helpers.literal import assert_same_with_gradients, transformer_layer
from helpers.tiny import CONFIG, randomize

WIDTH, HEIGHT, COLUMNS, TOKENS = 8, 2, 3, 4
MASK = torch.tensor([[True] * 4, [True, True, False, False]])


def literal_positions(width: int, height: int, columns: int) -> torch.Tensor:
    quarter, codes = width // 4, []
    for y in range(height):
        for x in range(columns):
            code = []
            for place, count in ((y, height), (x, columns)):
                for function in (math.sin, math.cos):
                    for k in range(quarter):
                        octave = -2 + 6 * k / (quarter - 1) if quarter > 1 else -2
                        code.append(function(2 * math.pi * 2**octave * (place + 0.5) / count))
            codes.append(code)
    return torch.tensor(codes, dtype=torch.float64)


@pytest.mark.parametrize("width", [4, 8, 16])
def test_sine_positions(width):
    like = torch.zeros(1, dtype=torch.float64)
    torch.testing.assert_close(
        sine_positions(width, 3, 5, like=like), literal_positions(width, 3, 5), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("positions", [False, True])
@pytest.mark.parametrize("heads", [1, 2, 8])
def test_pixels_query_each_other_and_the_text(heads, positions):
    torch.manual_seed(0)
    config = replace(CONFIG, hidden_size=WIDTH, decoder_heads=heads, position_encoding=positions)
    module = PixelTransformer(config).double().eval()
    randomize(module)
    x = torch.randn(2, WIDTH, HEIGHT, COLUMNS, dtype=torch.float64, requires_grad=True)
    text = torch.randn(2, TOKENS, WIDTH, dtype=torch.float64, requires_grad=True)
    samples = []
    for b in range(2):
        pixels = torch.stack([x[b, :, y, u] for y in range(HEIGHT) for u in range(COLUMNS)])
        if positions:
            pixels = pixels + sine_positions(WIDTH, HEIGHT, COLUMNS, like=pixels)
        everyone = [True] * len(pixels)
        pixels = transformer_layer(module.layer, pixels, text[b], everyone, MASK[b].tolist())
        samples.append(pixels.T.reshape(WIDTH, HEIGHT, COLUMNS))
    assert_same_with_gradients(
        module(x, text, MASK), torch.stack(samples), [x, text, *module.layer.parameters()]
    )


def test_layers_have_the_eight_heads_of_the_paper():
    layer = decoder_layer(DmmiConfig())
    assert layer.self_attn.num_heads == layer.multihead_attn.num_heads == 8
