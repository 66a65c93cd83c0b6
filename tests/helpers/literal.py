"""Layers written out one head, query or pixel at a time, and a comparison with gradients."""

import math

import torch
from torch import Tensor, nn


def assert_same_with_gradients(actual: Tensor, expected: Tensor, inputs: list[Tensor]) -> None:
    """Equal values, and equal gradients of a random projection with respect to all of `inputs`."""
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-10)
    torch.manual_seed(7)
    projection = torch.randn_like(expected)
    grads = [
        torch.autograd.grad((v * projection).sum(), inputs, retain_graph=True) for v in (actual, expected)
    ]
    for number, (a, b) in enumerate(zip(*grads, strict=True)):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9, msg=lambda m, n=number: f"input {n}: {m}")


def softmax(logits: list[Tensor]) -> list[Tensor]:
    exponentials = [logit.exp() for logit in logits]
    return [e / sum(exponentials) for e in exponentials]


def layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    centred = x - x.mean()
    return centred / ((centred**2).mean() + norm.eps).sqrt() * norm.weight + norm.bias


def attention(module: nn.MultiheadAttention, queries: Tensor, memory: Tensor, real: list[bool]) -> Tensor:
    """Multi-head attention of (N, D) to those of (M, D) that are `real`."""
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
            parts.append(sum(w * v[m, part] for w, m in zip(weights, places, strict=True)))
        rows.append(torch.cat(parts) @ module.out_proj.weight.T + module.out_proj.bias)
    return torch.stack(rows)


def transformer_layer(
    layer: nn.TransformerDecoderLayer, x: Tensor, memory: Tensor, real_x: list[bool], real_memory: list[bool]
) -> Tensor:
    """Self-attention, attention to `memory`, feed-forward; each with a residual and then a norm. (N, D)."""
    x = _rowwise(x + attention(layer.self_attn, x, x, real_x), layer.norm1)
    x = _rowwise(x + attention(layer.multihead_attn, x, memory, real_memory), layer.norm2)
    hidden = (x @ layer.linear1.weight.T + layer.linear1.bias).clamp(min=0)
    return _rowwise(x + hidden @ layer.linear2.weight.T + layer.linear2.bias, layer.norm3)


def _rowwise(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    return torch.stack([layer_norm(row, norm) for row in x])


def conv_bn_relu(block: nn.Sequential, x: Tensor) -> Tensor:
    """3 x 3 convolution with zeros around, batch norm by its running statistics, ReLU, of (C, H, W)."""
    conv, norm, _ = block
    _, height, width = x.shape
    rows = []
    for y in range(height):
        for u in range(width):
            value = 0
            for dy in range(3):
                for dx in range(3):
                    if 0 <= y + dy - 1 < height and 0 <= u + dx - 1 < width:
                        value = value + conv.weight[:, :, dy, dx] @ x[:, y + dy - 1, u + dx - 1]
            value = (value - norm.running_mean) / (
                norm.running_var + norm.eps
            ).sqrt() * norm.weight + norm.bias
            rows.append(value.clamp(min=0))
    return torch.stack(rows, dim=1).unflatten(1, (height, width))
