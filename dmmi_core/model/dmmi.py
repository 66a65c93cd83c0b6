"""The assembly: encoder stages fused with the text, the two decoders, the presence head (paper Fig. 2)."""

from dataclasses import dataclass
from itertools import zip_longest

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.decoder import TextToImageDecoder
from dmmi_core.model.fusion import StageFusion
from dmmi_core.model.presence import PresenceHead
from dmmi_core.model.recovery import ContextClueRecovery, ContrastivePooling
from dmmi_core.model.text import TextEncoder
from dmmi_core.model.visual import VisualEncoder


@dataclass
class DmmiOutput:
    """What a forward pass gives; the last four are None where the configuration or inference omits them."""

    logits: Tensor
    """(B, 2, H, W), background and object, at the size of the input."""
    text: Tensor
    """E_4*, (B, L, D)."""
    presence: Tensor | None = None
    """Logits of the presence head, (B,)."""
    recovered: Tensor | None = None
    """The recovered text E^, (B, L, D)."""
    image_embedding: Tensor | None = None
    """V_o, (B, D), of length 1."""
    text_embedding: Tensor | None = None
    """E_o, (B, D), of length 1."""


class Dmmi(nn.Module):
    """DMMI, as configured. Text is encoded apart, so that its features can be kept between images."""

    def __init__(self, config: DmmiConfig):
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.text = TextEncoder(config.text_encoder, width)
        self.visual = VisualEncoder(config.backbone, **config.backbone_args)
        *first, last = self.visual.channels
        self.fusions = nn.ModuleList(StageFusion(channels, config) for channels in first)
        # Skips before the gate leave nothing that the last one would act on.
        self.fusions.append(StageFusion(last, config, gated=not config.normalize_skips))
        self.decoder = TextToImageDecoder(self.visual.channels, config)
        levels = 3 if config.output_stride == 4 else 2
        self.recovery = ContextClueRecovery(config) if config.reconstruct else None
        self.pooling = ContrastivePooling(width, levels) if config.contrast else None
        self.presence = PresenceHead(width) if config.presence else None

        for name in ("mean", "std"):
            value = torch.tensor(getattr(config, f"image_{name}")).reshape(1, 3, 1, 1)
            self.register_buffer(f"image_{name}", value, persistent=False)

    def normalize(self, image: Tensor) -> Tensor:
        """uint8 RGB (B, 3, H, W) as the backbone wants it."""
        return (image / 255 - self.image_mean) / self.image_std

    def encode_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids int64 (B, L), mask bool (B, L), True for real tokens -> E (B, L, D)."""
        return self.text(ids, mask)

    def forward(
        self,
        image: Tensor,
        text: Tensor,
        mask: Tensor,
        erased: Tensor | None = None,
        image_of: Tensor | None = None,
    ) -> DmmiOutput:
        """image (B, 3, H, W), normalised; text E, erased E' (B, L, D); mask (B, L), True for real tokens.

        `erased`, the features of the text with one phrase masked, is given in training only; without it
        the image-to-text decoder does not run. `image_of`, int64 (B,), says which image each text is about
        where several share one; there may then be fewer images, and what comes before the first fusion runs
        once for each.
        """
        first, *later = self.visual.stages
        x, skips = first(self.visual.stem(image)), []
        if image_of is not None:
            x = x[image_of]
        for fusion, stage in zip_longest(self.fusions, later):
            x, skip, text = fusion(x, text, mask)
            skips.append(skip)
            if stage is not None:
                x = stage(x)
        if self.config.attend_padding:
            mask = torch.ones_like(mask)
        decoded = self.decoder(skips, text, mask)
        logits = F.interpolate(decoded.scores, size=image.shape[2:], mode="bilinear", align_corners=True)
        output = DmmiOutput(logits, text)
        if self.presence is not None:
            output.presence = self.presence(decoded.refined, text, mask)
        if erased is not None and self.recovery is not None:
            output.recovered = self.recovery(erased, mask, decoded.middle)
        if erased is not None and self.pooling is not None:
            output.image_embedding, output.text_embedding = self.pooling(decoded.levels, text, mask)
        return output
