"""Equations 2-6, against loops over samples, positions, tokens and the members of each region."""

import math
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from dmmi_core.model.attention import (
    ImageToTextAttention,
    RegionWeights,
    TextToImageAttention,
    image_to_text_affinity,
    text_to_image_affinity,
)
from helpers.literal import assert_same_with_gradients, softmax
from helpers.tiny import randomize

CHANNELS, WIDTH, LENGTHS, TOKENS = 3, 4, (5, 3), 5
MASK = torch.tensor([[token < length for token in range(TOKENS)] for length in LENGTHS])
IMAGE_REGIONS = [(1,), (3,), (1, 3, 5), (5, 7)]
TEXT_REGIONS = [(1,), (2,), (1, 2, 3), (4, 7)]
SIZES = [(3, 5), (6, 2), (1, 4)]


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def square(side: int, y: int, x: int, height: int, width: int) -> list[tuple[int, int]]:
    """Return the positions in the image of the region centred at (y, x)."""
    reach = (side - 1) // 2
    places = [(y + dy, x + dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    return [(v, u) for v, u in places if 0 <= v < height and 0 <= u < width]


def literal_text_to_image(query: Tensor, key: Tensor, mask: Tensor, sides, weights: Tensor) -> Tensor:
    batch, channels, height, width = query.shape
    affinity = torch.zeros(batch, key.shape[1], height, width, dtype=query.dtype)
    for b in range(batch):
        tokens = [token for token in range(key.shape[1]) if mask[b, token]]
        for y in range(height):
            for x in range(width):
                for side, weight in zip(sides, weights, strict=True):
                    members = square(side, y, x, height, width)
                    logits = [
                        sum(query[b, :, v, u] @ key[b, token] / math.sqrt(channels) for v, u in members)
                        for token in tokens
                    ]
                    for token, share in zip(tokens, softmax(logits), strict=True):
                        affinity[b, token, y, x] += weight * share
    return affinity


def literal_image_to_text(query: Tensor, key: Tensor, mask: Tensor, lengths, weights: Tensor) -> Tensor:
    """Rows of padded tokens stay zero."""
    batch, tokens, channels = query.shape
    affinity = torch.zeros(batch, tokens, key.shape[2], dtype=query.dtype)
    for b in range(batch):
        for i in range(tokens):
            if not mask[b, i]:
                continue
            for length, weight in zip(lengths, weights, strict=True):
                members = [m for m in range(i, i + length) if m < tokens and mask[b, m]]
                logits = [
                    sum(query[b, m] @ key[b, :, n] / math.sqrt(channels) for m in members)
                    for n in range(key.shape[2])
                ]
                affinity[b, i] += weight * torch.stack(softmax(logits))
    return affinity


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("regions", IMAGE_REGIONS)
def test_text_to_image_affinity(regions, size):
    torch.manual_seed(0)
    inputs = query, key, weights = (
        random(2, CHANNELS, *size),
        random(2, TOKENS, CHANNELS),
        random(len(regions)),
    )
    assert_same_with_gradients(
        text_to_image_affinity(query, key, MASK, regions, weights),
        literal_text_to_image(query, key, MASK, regions, weights),
        inputs,
    )


@pytest.mark.parametrize("positions", [1, 6])
@pytest.mark.parametrize("regions", TEXT_REGIONS)
def test_image_to_text_affinity(regions, positions):
    torch.manual_seed(0)
    inputs = query, key, weights = random(2, TOKENS, WIDTH), random(2, WIDTH, positions), random(len(regions))
    assert_same_with_gradients(
        image_to_text_affinity((query * MASK[:, :, None]) @ key / math.sqrt(WIDTH), regions, weights)[MASK],
        literal_image_to_text(query, key, MASK, regions, weights)[MASK],
        inputs,
    )


def literal_pointwise(layer: nn.Sequential, x: Tensor) -> Tensor:
    """Apply the matrix at every position, then normalise each channel of each sample."""
    conv, norm = cast("tuple[nn.Conv2d, nn.InstanceNorm2d]", tuple(layer))
    matrix, bias = conv.weight[:, :, 0, 0], conv.get_parameter("bias")
    samples = []
    for sample in x.flatten(2):
        y = torch.stack([matrix @ position + bias for position in sample.T], dim=1)
        centred = y - y.mean(dim=1, keepdim=True)
        samples.append(centred / ((centred**2).mean(dim=1, keepdim=True) + norm.eps).sqrt())
    return torch.stack(samples).unflatten(2, x.shape[2:])


def linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return x @ layer.weight.T + layer.bias


@pytest.fixture
def inputs():
    torch.manual_seed(0)
    return random(2, CHANNELS, 3, 4), random(2, TOKENS, WIDTH)


def double(module: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    randomize(module.double())
    return module


def test_text_to_image_attention(inputs):
    """Eq. 4: V* = W_att (W_v E)^T."""
    module = double(TextToImageAttention(channels=CHANNELS, text_width=WIDTH, regions=(1, 3, 5)))
    x, text = inputs
    affinity = literal_text_to_image(
        literal_pointwise(module.query, x), linear(module.key, text), MASK, (1, 3, 5), module.weights()
    )
    gathered = torch.zeros_like(x)
    for b, length in enumerate(LENGTHS):
        for token in range(length):
            value = linear(module.value, text[b, token])
            gathered[b] += affinity[b, token] * value[:, None, None]
    expected = literal_pointwise(module.output, gathered)
    assert_same_with_gradients(module(x, text, MASK), expected, [x, text, *module.parameters()])


def test_image_to_text_attention(inputs):
    """Eq. 6: E* = W_att (W_v V)^T."""
    module = double(ImageToTextAttention(channels=CHANNELS, text_width=WIDTH, regions=(1, 2, 3)))
    x, text = inputs
    key, value = literal_pointwise(module.key, x).flatten(2), literal_pointwise(module.value, x).flatten(2)
    affinity = literal_image_to_text(linear(module.query, text), key, MASK, (1, 2, 3), module.weights())
    gathered = [
        sum(affinity[b, i, n] * value[b, :, n] for n in range(value.shape[2]))
        for b, length in enumerate(LENGTHS)
        for i in range(length)
    ]
    expected = linear(module.output, torch.stack(gathered))
    assert_same_with_gradients(module(x, text, MASK)[MASK], expected, [x, text, *module.parameters()])


def test_region_weights_are_learnable_and_start_as_the_mean():
    module = RegionWeights(3)
    torch.testing.assert_close(module(), torch.full((3,), 1 / 3))
    module()[0].backward()
    assert module.logits.grad.abs().min() > 0
