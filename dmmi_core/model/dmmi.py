"""The DMMI network: encoder stages fused with the text, two decoders and further heads (paper Fig. 2)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.decoder import TextToImageDecoder
from dmmi_core.model.detector_guide import CategoryLink, Guide
from dmmi_core.model.fusion import StageFusion
from dmmi_core.model.instance_head import InstanceHead
from dmmi_core.model.presence import PresenceHead
from dmmi_core.model.recovery import ContextClueRecovery, ContrastivePooling
from dmmi_core.model.text import TextEncoder
from dmmi_core.model.visual import VisualEncoder


class EncodedText(NamedTuple):
    """Output of `Dmmi.encode_text`."""

    features: Tensor
    """E, (B, L, D)."""
    categories: Tensor | None = None
    """(B, 80), how much the text names each category of the guide, with sum 1; None without a guide."""


@dataclass
class DmmiOutput:
    """Output of a forward pass; all after `text` are None if the configuration or inference omits them."""

    logits: Tensor
    """(B, 2, H, W), background and object, at the size of the input image."""
    text: Tensor
    """E_4*, (B, L, D)."""
    presence: Tensor | None = None
    """Logits of the presence head, (B,)."""
    centres: Tensor | None = None
    """Centre logits of the instance head, (B, h, w), at the stride of the decoder's finest level."""
    offsets: Tensor | None = None
    """Offsets of the instance head, x and y to the centres as fractions of the sides, (B, 2, h, w)."""
    detections: Tensor | None = None
    """Logits of the guide for the categories that the text names, (B, P); see `GuideOutput`."""
    boxes: Tensor | None = None
    """The guide's boxes, (B, P, 4), as fractions of the sides."""
    recovered: Tensor | None = None
    """The recovered text E^, (B, L, D)."""
    image_embedding: Tensor | None = None
    """V_o, unit vectors (B, D)."""
    text_embedding: Tensor | None = None
    """E_o, unit vectors (B, D)."""


class Dmmi(nn.Module):
    """Dual multi-modal interaction network for referring segmentation.

    `encode_text` encodes the text, and `forward` segments images with its output, so that one encoded text
    can be used for many images.

    Args:
        config: the architecture; weights are initialised as for training from scratch.

    Raises:
        ModelError: timm does not know the backbone, or its family is not supported.
    """

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: DmmiConfig):
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.text = TextEncoder(config.text_encoder, width)
        self.visual = VisualEncoder(config.backbone, **config.backbone_args)
        first, *middle, last = self.visual.channels
        self.fusions = nn.ModuleList(
            [
                # At output stride 8 the decoder does not read the first skip.
                StageFusion(first, config, skip=config.output_stride == 4),
                *(StageFusion(channels, config) for channels in middle),
                # With normalised skips nothing reads the gated features of the last stage.
                StageFusion(last, config, gated=not config.normalize_skips),
            ]
        )
        self.decoder = TextToImageDecoder(self.visual.channels, config)
        levels = 3 if config.output_stride == 4 else 2
        self.recovery = ContextClueRecovery(config) if config.reconstruct else None
        self.pooling = ContrastivePooling(width=width, levels=levels) if config.contrast else None
        guided = config.guide is not None
        self.guide = Guide(self.visual.channels[1:]) if guided else None
        self.link = CategoryLink(config.text_encoder.hidden_size) if guided else None
        self.presence = PresenceHead(width, guided=guided) if config.presence else None
        self.instances = InstanceHead(width) if config.instances else None

        for name in ("mean", "std"):
            value = torch.tensor(getattr(config, f"image_{name}")).reshape(1, 3, 1, 1)
            self.register_buffer(f"image_{name}", value, persistent=False)

    def normalize(self, image: Tensor) -> Tensor:
        """Return uint8 RGB (B, 3, H, W) as the float32 input of the backbone."""
        return (image / 255 - self.image_mean) / self.image_std

    def encode_text(self, ids: Tensor, mask: Tensor) -> EncodedText:
        """Encode word pieces: ids int64 (B, L), mask bool (B, L), True for real tokens."""
        if self.link is None:
            return EncodedText(self.text(ids, mask))
        features = self.text.features(ids, mask)
        return EncodedText(self.text.projection(features), self.link(features, mask))

    def forward(
        self,
        image: Tensor,
        text: EncodedText,
        mask: Tensor,
        erased: EncodedText | None = None,
        image_of: Tensor | None = None,
    ) -> DmmiOutput:
        """Segment images by texts.

        Args:
            image: normalised images, (B, 3, H, W), or (I, 3, H, W) with `image_of`; the sides are multiples
                of 32.
            text: E of B texts.
            mask: bool (B, L), True for real tokens.
            erased: E', the features of the texts with one phrase masked, in training only. Without it the
                image-to-text decoder does not run.
            image_of: int64 (B,), the index of each text's image, if texts share images. Layers that see no
                text then run once for each image.
        """
        stages = self.visual.stages
        x, features, skips = stages[0](self.visual.stem(image)), text.features, []
        if image_of is not None:
            x = x[image_of]
        guided = None
        if self.guide is not None:
            guided = self.guide(self._unit_range(image), text.categories, image_of)
        for number, fusion in enumerate(self.fusions):
            if number > 0:
                x = stages[number](x)
                if guided is not None:
                    x = x + guided.maps[number - 1]
            x, skip, features = fusion(x, features, mask)
            skips.append(skip)
        if self.config.attend_padding:
            mask = torch.ones_like(mask)
        decoded = self.decoder(skips, features, mask)
        logits = F.interpolate(decoded.scores, size=image.shape[2:], mode="bilinear", align_corners=True)
        output = DmmiOutput(logits, features)
        if guided is not None:
            output.detections, output.boxes = guided.detections, guided.boxes
        if self.presence is not None:
            prior = None if guided is None else guided.prior
            output.presence = self.presence(decoded.refined, features, mask, prior)
        if self.instances is not None:
            output.centres, output.offsets = self.instances(decoded.levels[-1])
        if erased is not None and self.recovery is not None:
            output.recovered = self.recovery(erased.features, mask, decoded.guidance)
        if erased is not None and self.pooling is not None:
            output.image_embedding, output.text_embedding = self.pooling(decoded.levels, features, mask)
        return output

    def _unit_range(self, image: Tensor) -> Tensor:
        """Undo `normalize`, to RGB in [0, 1]."""
        return image * self.image_std + self.image_mean
