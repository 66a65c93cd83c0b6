"""Instances: where the centre of each object is, and from each pixel the way to its own.

Centre heat map and offsets as in Panoptic-DeepLab (Cheng et al. 2020), but of what the text refers to only.
Ours, not the paper's.
"""

from typing import NamedTuple

from torch import Tensor, nn

from dmmi_core.model.decoder import conv_bn_relu


class Centres(NamedTuple):
    heat: Tensor
    """(B, h, w), logits of being the middle of an object's box."""
    offsets: Tensor
    """(B, 2, h, w): from each position to the middle of the box of its object, x and y, as fractions of the
    image's sides."""


class InstanceHead(nn.Module):
    def __init__(self, width: int, inner: int = 32):
        super().__init__()
        self.conv = conv_bn_relu(width, inner)
        self.heat, self.offsets = nn.Conv2d(inner, 1, 1), nn.Conv2d(inner, 2, 1)
        nn.init.constant_(self.heat.bias, -4.0)  # few positions are centres (RetinaNet, Lin et al. 2017)

    def forward(self, level: Tensor) -> Centres:
        """The decoder's finest level, (B, D, h, w)."""
        x = self.conv(level)
        return Centres(self.heat(x)[:, 0], self.offsets(x))
