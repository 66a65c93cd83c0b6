"""Layers as literal loops over heads, queries and pixels, and a comparison with gradients."""

import math
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn


def assert_same_with_gradients(actual: Tensor, expected: Tensor, inputs: list[Tensor]) -> None:
    """Assert equal values, and equal gradients of a random projection with respect to all `inputs`."""
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-10)
    torch.manual_seed(7)
    projection = torch.randn_like(expected)
    grads = [
        torch.autograd.grad((v * projection).sum(), inputs, retain_graph=True) for v in (actual, expected)
    ]
    for number, (a, b) in enumerate(zip(*grads, strict=True)):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9, msg=partial("input {}: {}".format, number))


def softmax(logits: list[Tensor]) -> list[Tensor]:
    exponentials = [logit.exp() for logit in logits]
    return [e / sum(exponentials) for e in exponentials]


def layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    centred = x - x.mean()
    return centred / ((centred**2).mean() + norm.eps).sqrt() * norm.weight + norm.bias


def attention(module: nn.MultiheadAttention, queries: Tensor, memory: Tensor, real: list[bool]) -> Tensor:
    """Compute multi-head attention of queries (N, D) to the rows of memory (M, D) that are `real`."""
    width, heads = module.embed_dim, module.num_heads
    q, k, v = (
        x @ module.in_proj_weight[i * width : (i + 1) * width].T
        + module.in_proj_bias[i * width : (i + 1) * width]
        for i, x in enumerate((queries, memory, memory))
    )
    size, rows = width // heads, []
    for query in q:
        parts = []
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            places = [m for m in range(len(memory)) if real[m]]
            weights = softmax([query[part] @ k[m, part] / math.sqrt(size) for m in places])
            products = (w * v[m, part] for w, m in zip(weights, places, strict=True))
            parts.append(sum(products, start=torch.zeros(size, dtype=v.dtype)))
        rows.append(torch.cat(parts) @ module.out_proj.weight.T + module.out_proj.bias)
    return torch.stack(rows)


def transformer_layer(
    layer: nn.TransformerDecoderLayer, x: Tensor, memory: Tensor, real_x: list[bool], real_memory: list[bool]
) -> Tensor:
    """Compute a post-norm layer of x (N, D): self-attention, attention to `memory`, feed-forward."""
    x = _rowwise(x + attention(layer.self_attn, x, x, real_x), layer.norm1)
    x = _rowwise(x + attention(layer.multihead_attn, x, memory, real_memory), layer.norm2)
    hidden = (x @ layer.linear1.weight.T + layer.linear1.bias).clamp(min=0)
    return _rowwise(x + hidden @ layer.linear2.weight.T + layer.linear2.bias, layer.norm3)


def _rowwise(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    return torch.stack([layer_norm(row, norm) for row in x])


def conv_bn_relu(block: nn.Sequential, x: Tensor) -> Tensor:
    """Compute a 3 x 3 convolution with zero padding, batch norm in evaluation mode and ReLU of (C, H, W)."""
    conv, norm, _ = cast("tuple[nn.Conv2d, nn.BatchNorm2d, nn.ReLU]", tuple(block))
    _, height, width = x.shape
    rows = []
    for y in range(height):
        for u in range(width):
            value = torch.zeros(conv.out_channels, dtype=x.dtype)
            for dy in range(3):
                for dx in range(3):
                    if 0 <= y + dy - 1 < height and 0 <= u + dx - 1 < width:
                        value = value + conv.weight[:, :, dy, dx] @ x[:, y + dy - 1, u + dx - 1]
            assert norm.running_mean is not None and norm.running_var is not None
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            rows.append(((value - norm.running_mean) * scale + norm.bias).clamp(min=0))
    return torch.stack(rows, dim=1).unflatten(1, (height, width))
