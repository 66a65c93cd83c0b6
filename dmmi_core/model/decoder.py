"""Text-to-image decoder: joins the skips from coarse to fine and queries the text at each (paper 3.2)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.transformer import PixelTransformer


def conv_bn_relu(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 3x3 convolution with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Aggregate(nn.Module):
    """phi of eq. 7: upsamples the coarser map, concatenates the skip and applies two 3x3 convolutions."""

    def __init__(self, *, coarse: int, skip: int, width: int):
        super().__init__()
        self.skip_channels = skip
        self.convs = nn.Sequential(conv_bn_relu(coarse + skip, width), conv_bn_relu(width, width))

    def forward(self, y: Tensor, skip: Tensor) -> Tensor:
        """Coarser map y (B, C, h, w) and skip (B, C', h', w') -> (B, width, h', w')."""
        y = F.interpolate(y, size=skip.shape[2:], mode="bilinear", align_corners=True)
        return self.convs(torch.cat([y, skip], dim=1))


class Decoded(NamedTuple):
    """Output of the text-to-image decoder."""

    scores: Tensor
    """Score maps (B, 2, H / stride, W / stride): background and object, before the softmax."""
    levels: list[Tensor]
    """Outputs of phi, coarse to fine, (B, D, h, w): strides 16, 8 and, if there, 4."""
    guidance: Tensor
    """V_g* of 3.3.1, (B, D, H / 8, W / 8): phi(Y_3, V_2*), the input of the last psi, as released."""
    refined: Tensor
    """Y_2, (B, D, H / 8, W / 8)."""


class TextToImageDecoder(nn.Module):
    """Eq. 7: Y_4 = V_4*, Y_n = psi(phi(Y_{n+1}, V_n*), E_4*) for n = 3, 2, then convolutions.

    The last convolutions act on Y_2 with output_stride 8; with 4 they are phi(Y_2, V_1*), as released.
    """

    def __init__(self, channels: tuple[int, ...], config: DmmiConfig):
        super().__init__()
        c1, c2, c3, c4 = channels
        width = config.hidden_size
        finest = config.output_stride == 4
        self.aggregate3 = Aggregate(coarse=c4, skip=c3, width=width)
        self.query3 = PixelTransformer(config)
        self.aggregate2 = Aggregate(coarse=width, skip=c2, width=width)
        self.query2 = PixelTransformer(config)
        self.aggregate1 = Aggregate(coarse=width, skip=c1, width=width) if finest else None
        self.convs = None if finest else conv_bn_relu(width, width)
        self.score = nn.Conv2d(width, 2, 1)

    def forward(self, skips: list[Tensor], text: Tensor, mask: Tensor) -> Decoded:
        """skips V_1* .. V_4*, (B, C_n, H_n, W_n) each, text E_4* (B, L, D), mask bool (B, L)."""
        v1, v2, v3, v4 = skips
        y3 = self.aggregate3(v4, v3)
        guidance = self.aggregate2(self.query3(y3, text, mask), v2)
        refined = finest = self.query2(guidance, text, mask)
        levels = [y3, guidance]
        if self.aggregate1 is not None:
            finest = self.aggregate1(refined, v1)
            levels.append(finest)
        if self.convs is not None:
            finest = self.convs(refined)
        return Decoded(self.score(finest), levels, guidance, refined)
