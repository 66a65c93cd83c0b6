"""The Transformer decoder layer of both decoders, and its application to the pixels of a feature map."""

import math

import torch
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig


def decoder_layer(config: DmmiConfig) -> nn.TransformerDecoderLayer:
    """Return a layer of self-attention, cross-attention and feed-forward, batch first."""
    return nn.TransformerDecoderLayer(
        d_model=config.hidden_size,
        nhead=config.decoder_heads,
        dim_feedforward=config.feedforward_size,
        dropout=config.decoder_dropout,
        batch_first=True,
    )


class PixelTransformer(nn.Module):
    """psi of eq. 7: the pixels of a feature map attend to each other and to the text."""

    def __init__(self, config: DmmiConfig):
        super().__init__()
        self.layer = decoder_layer(config)
        self.position_encoding = config.position_encoding

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """x (B, D, H, W), text (B, L, D), mask bool (B, L) -> (B, D, H, W)."""
        pixels = x.flatten(2).transpose(1, 2)  # (B, N, D)
        if self.position_encoding:
            pixels = pixels + sine_positions(*x.shape[1:], like=x)
        pixels = self.layer(pixels, text, memory_key_padding_mask=~mask)
        return pixels.transpose(1, 2).unflatten(2, x.shape[2:])


def sine_positions(width: int, height: int, columns: int, *, like: Tensor) -> Tensor:
    """Return sine and cosine codes of the relative row and column, (height * columns, width).

    Half of the width encodes each axis, as in "Attention Is All You Need", 3.5, but positions are scaled to
    [0, 1], so that "the left" means the same at every resolution. Wavelengths go from 4 to 1/16 of a side.
    Device and dtype are those of `like`.
    """
    quarter = width // 4
    frequencies = 2 * math.pi * 2 ** torch.linspace(-2, 4, quarter, device=like.device)

    def code(count: int) -> Tensor:
        centres = (torch.arange(count, device=like.device) + 0.5) / count
        angles = centres[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=1)  # (count, width / 2)

    rows = code(height)[:, None].expand(-1, columns, -1)
    cols = code(columns)[None].expand(height, -1, -1)
    return torch.cat([rows, cols], dim=2).flatten(0, 1).to(like.dtype)
