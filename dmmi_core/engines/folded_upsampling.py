"""Convolution of an upsampled map, computed without building that map.

Bilinear upsampling U and a 3x3 convolution with weights W_t, t one of its nine taps, are linear:
sum_t W_t shift_t(U y) = sum_t shift_t(U (W_t y)). The weights mix the channels and are most of the work; here
they act on the small map. Resizing and shifting follow, one axis after the other, as products with matrices
that have a row for each position of the large map: R_y z R_x^T. For twice the size it is a third of the work.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from dmmi_core.model.decoder import Aggregate


class FoldedAggregate(nn.Module):
    """`Aggregate` of maps `side` positions wide and high, upsampled to `target`, with its norms folded in."""

    resize: Tensor

    def __init__(self, aggregate: Aggregate, side: int, target: int):
        super().__init__()
        weight, self.bias = _folded(aggregate.convs[0])
        coarse = weight.shape[1] - aggregate.skip_channels
        self.skip = nn.Parameter(weight[:, coarse:])
        taps = weight[:, :coarse].permute(3, 0, 2, 1)  # (x, D, y, C)
        self.taps = nn.Parameter(taps.flatten(0, 2)[:, :, None, None])
        self.second, self.second_bias = _folded(aggregate.convs[1])
        self.register_buffer("resize", _shifted_resizings(side, target).to(weight))

    def forward(self, y: Tensor, skip: Tensor) -> Tensor:
        """y (B, C, h, h), skip (B, C', H, H) -> (B, D, H, H)."""
        summed = F.relu(self._of_upsampled(y) + F.conv2d(skip, self.skip, self.bias, padding=1))
        return F.relu(F.conv2d(summed, self.second, self.second_bias, padding=1))

    def _of_upsampled(self, y: Tensor) -> Tensor:
        batch, _, side, _ = y.shape
        mixed = F.conv2d(y, self.taps).reshape(batch, 3, -1, side, side)  # (B, x, D y, h, w)
        before, at, after = (mixed[:, x] @ self.resize[x].T for x in range(3))
        wide = before + at + after  # (B, D y, h, W)
        wide = wide.reshape(batch, -1, 3 * side, wide.shape[3])  # (B, D, y h, W)
        return self.resize.transpose(0, 1).flatten(1) @ wide


def _folded(layer: Any) -> tuple[nn.Parameter, nn.Parameter]:
    """Return weight and bias of a convolution with its batch norm folded in."""
    conv, norm, _ = layer
    return fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )


def _shifted_resizings(side: int, target: int) -> Tensor:
    """Return three matrices, (3, target, side), that resize and then read one position before, at and after.

    Resizing is bilinear with aligned corners. Rows beyond the border are zero, as the convolution pads.
    """
    matrix = F.interpolate(torch.eye(side)[None], size=target, mode="linear", align_corners=True)[0].T
    padded = F.pad(matrix, (0, 0, 1, 1))
    return torch.stack([padded[shift : shift + target] for shift in range(3)])
