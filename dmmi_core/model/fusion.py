"""What a stage of the encoder does with the attended features (paper 3.1.1).

The paper says that V* and E* go on to the next stage; how they join is taken from the released
network: a product with the visual features, a gated residual for the image, a residual for the text.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.attention import ImageToTextAttention, TextToImageAttention
from dmmi_core.model.learned_affinity import LearnedImageToTextAttention, LearnedTextToImageAttention

ATTENTIONS = {
    "summed": (TextToImageAttention, ImageToTextAttention),
    "learned": (LearnedTextToImageAttention, LearnedImageToTextAttention),
}
"""The two directions for each `DmmiConfig.region_affinity`."""


class Fused(NamedTuple):
    image: Tensor
    """(B, C, H, W), for the next stage."""
    skip: Tensor
    """(B, C, H, W), V_n* for the decoder."""
    text: Tensor
    """(B, L, D), E_n*, for the next stage."""


class StageFusion(nn.Module):
    """Without a gate, where no stage follows that would need it, the image goes on as it came."""

    def __init__(self, channels: int, config: DmmiConfig, *, gated: bool = True):
        super().__init__()
        width = config.hidden_size
        text_to_image, image_to_text = ATTENTIONS[config.region_affinity]
        self.to_image = text_to_image(channels, width, config.image_regions)
        self.visual = nn.Conv2d(channels, channels, 1)
        self.joint = nn.Conv2d(channels, channels, 1)
        self.gate = _gate(channels) if gated else None
        self.to_text = self.text = None
        if config.bidirectional:
            self.to_text = image_to_text(channels, width, config.text_regions)
            self.text = nn.Linear(width, width)
        self.skip_norm = nn.LayerNorm(channels) if config.normalize_skips else None

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Fused:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L)."""
        attended = self.to_image(x, text, mask)
        joint = F.gelu(self.joint(F.gelu(self.visual(x)) * attended))
        if self.to_text is not None:
            text = text + F.gelu(self.text(self.to_text(x, text, mask)))
        image = x if self.gate is None else x + self.gate(joint) * joint
        return Fused(image, self._skip(joint, image), text)

    def _skip(self, joint: Tensor, image: Tensor) -> Tensor:
        if self.skip_norm is None:
            return image
        return self.skip_norm(joint.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _gate(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.Tanh(),
    )
