"""Fusion of an encoder stage with the text: attention, gate and residuals (paper 3.1.1).

The paper says that V* and E* go on to the next stage. How they join the features of a stage is taken from the
released network: a product with the visual features, a gated residual for the image, a residual for the text.
"""

from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.attention import ImageToTextAttention, TextToImageAttention
from dmmi_core.model.released_attention import LearnedImageToTextAttention, LearnedTextToImageAttention

ATTENTIONS: dict[str, tuple[type[TextToImageAttention], type[ImageToTextAttention]]] = {
    "summed": (TextToImageAttention, ImageToTextAttention),
    "learned": (LearnedTextToImageAttention, LearnedImageToTextAttention),
}
"""Attention modules of both directions by `DmmiConfig.region_affinity`."""


class Fused(NamedTuple):
    """Output of a fusion."""

    image: Tensor
    """(B, C, H, W), the input of the next stage."""
    skip: Tensor
    """V_n*, (B, C, H, W), for the decoder; without its norm if the fusion has no `skip`."""
    text: Tensor
    """E_n*, (B, L, D), for the next fusion."""


class StageFusion(nn.Module):
    """Fusion after one stage.

    Without `gated`, the image features go on unchanged. `skip` says whether the decoder reads V_n*: there are
    no parameters that no loss reaches.
    """

    def __init__(self, channels: int, config: DmmiConfig, *, gated: bool = True, skip: bool = True):
        super().__init__()
        width = config.hidden_size
        text_to_image, image_to_text = ATTENTIONS[config.region_affinity]
        self.to_image = text_to_image(channels=channels, text_width=width, regions=config.image_regions)
        self.visual = nn.Conv2d(channels, channels, 1)
        self.joint = nn.Conv2d(channels, channels, 1)
        self.gate = _gate(channels) if gated else None
        self.to_text: ImageToTextAttention | None = None
        self.text: nn.Linear | None = None
        if config.bidirectional:
            self.to_text = image_to_text(channels=channels, text_width=width, regions=config.text_regions)
            self.text = nn.Linear(width, width)
        self.skip_norm = nn.LayerNorm(channels) if config.normalize_skips and skip else None
        if not skip:
            self.register_load_state_dict_pre_hook(_drop_skip_norm)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Fused:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L)."""
        attended = self.to_image(x, text, mask)
        joint = F.gelu(self.joint(F.gelu(self.visual(x)) * attended))
        if self.to_text is not None and self.text is not None:
            text = text + F.gelu(self.text(self.to_text(x, text, mask)))
        image = x if self.gate is None else x + self.gate(joint) * joint
        return Fused(image, self._skip(joint, image), text)

    def _skip(self, joint: Tensor, image: Tensor) -> Tensor:
        if self.skip_norm is None:
            return image
        return self.skip_norm(joint.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _drop_skip_norm(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Drop the norm that fusions without `skip` had in models saved by earlier versions."""
    for name in ("weight", "bias"):
        state.pop(f"{prefix}skip_norm.{name}", None)


def _gate(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.Tanh(),
    )
