"""A frozen detector that guides the network (not in the paper).

Its features and class logits join the encoder stages, and its logits of the categories that a text names are
a prior for the presence head. The categories need no training: the words of a text are compared with the
names of the categories in the space of the frozen text encoder (the idea of ConSE, Norouzi et al. 2014).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.model.nanodet import BINS, CLASSES, WIDTH, DetectorLevel, NanoDet

SHARPNESS = 40.0
"""Factor of the cosines before the softmax over the categories."""


class GuideOutput(NamedTuple):
    """Output of a guide, to be added to the network."""

    maps: list[Tensor]
    """Terms to add to the stages' inputs at strides 8, 16 and 32, (B, C, h, w) each."""
    prior: Tensor
    """(B,): highest logit of the categories that the text names, over all positions and strides."""


class Guide(nn.Module):
    """NanoDet-Plus-m and projections of its output to the widths of the stages at strides 8, 16 and 32.

    The text enters in the last step only, so that texts about one image share the detector's work.
    """

    def __init__(self, channels: tuple[int, ...]):
        super().__init__()
        self.detector = NanoDet()
        self.project = nn.ModuleList(_zero_projection(WIDTH + 4, width) for width in channels)
        self.category = nn.ModuleList(_zero_projection(1, width) for width in channels)

    def forward(self, image: Tensor, categories: Tensor, image_of: Tensor | None = None) -> GuideOutput:
        """image RGB in [0, 1], (I, 3, H, W); categories (B, 80), how much each text names each, with sum 1;
        image_of int64 (B,), the index of each text's image, or None if I = B.
        """
        levels = self.detector(image)
        features = [layer(_box_features(level)) for layer, level in zip(self.project, levels, strict=False)]
        classes = [level.classes for level in levels]
        if image_of is not None:
            features, classes = ([x[image_of] for x in maps] for maps in (features, classes))
        named = [torch.einsum("bchw,bc->bhw", logits, categories)[:, None] for logits in classes]
        maps = [x + layer(logits) for x, layer, logits in zip(features, self.category, named, strict=False)]
        prior = torch.stack([logits.flatten(1).amax(dim=1) for logits in named]).amax(dim=0)
        return GuideOutput(maps, prior)


def _zero_projection(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 1x1 convolution of zeros: at first the stages compute what they were pretrained for."""
    layer = nn.Conv2d(inputs, outputs, 1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _box_features(level: DetectorLevel) -> Tensor:
    """Join the features and the expected distances to the sides of the box, in strides: (B, 100, h, w).

    Class logits are left out, as they are a linear map of the features.
    """
    bins = level.boxes.unflatten(1, (4, BINS)).softmax(dim=2)
    steps = torch.arange(BINS, device=bins.device, dtype=bins.dtype)
    return torch.cat([level.features, torch.einsum("bskhw,k->bshw", bins, steps)], dim=1)


class CategoryLink(nn.Module):
    """Maps the words of a text to the categories of the detector, without trainable parameters."""

    names: Tensor
    """Mean features of each category's name, unit vectors (80, width)."""

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("names", torch.zeros(CLASSES, width))

    @torch.no_grad()
    def set_names(self, features: list[Tensor]) -> None:
        """Set the names from the features of their tokens, (L, width) each, in the detector's order.

        The features are those of the text encoder, without [CLS] and [SEP].
        """
        self.names.copy_(F.normalize(torch.stack([tokens.mean(dim=0) for tokens in features]), dim=1))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """features of the text encoder (B, L, width), mask bool (B, L) -> weights (B, 80), with sum 1."""
        cosines = F.normalize(features, dim=2) @ self.names.T
        cosines = cosines.masked_fill(~_words(mask)[:, :, None], -1.0)
        return (SHARPNESS * cosines.amax(dim=1)).softmax(dim=1)


def _words(mask: Tensor) -> Tensor:
    """Clear the first and the last real token, [CLS] and [SEP], of a mask, bool (B, L)."""
    followed = F.pad(mask[:, 1:], (0, 1))
    return followed & F.pad(mask[:, :-1], (1, 0))
