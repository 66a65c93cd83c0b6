"""Instance head: a heat map of object centres, and the offset from each pixel to the centre of its object.

The outputs are those of Panoptic-DeepLab (Cheng et al. 2020), restricted to what the text refers to. Not in
the paper.
"""

from typing import NamedTuple

from torch import Tensor, nn

from dmmi_core.model.decoder import conv_bn_relu

INNER_WIDTH = 32
CENTRE_BIAS = -4.0
"""Initial logit of a centre: few positions are centres (RetinaNet, Lin et al. 2017)."""


class InstanceMaps(NamedTuple):
    """Output of the instance head."""

    heat: Tensor
    """Logits (B, h, w): whether a position is the centre of an object's box."""
    offsets: Tensor
    """(B, 2, h, w), x and y from each position to the centre of its object's box, as fractions of the image's
    sides."""


class InstanceHead(nn.Module):
    """Centre heat map and offsets from the finest level of the decoder."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = conv_bn_relu(width, INNER_WIDTH)
        self.heat, self.offsets = nn.Conv2d(INNER_WIDTH, 1, 1), nn.Conv2d(INNER_WIDTH, 2, 1)
        nn.init.constant_(self.heat.get_parameter("bias"), CENTRE_BIAS)

    def forward(self, level: Tensor) -> InstanceMaps:
        """level (B, D, h, w), the finest of the decoder."""
        x = self.conv(level)
        return InstanceMaps(self.heat(x)[:, 0], self.offsets(x))
