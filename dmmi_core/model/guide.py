"""A frozen detector that guides the network: what it sees joins the stages, and says how likely a text's
category is there. Ours, not the paper's.

A text names categories without any training: its words and the names of the categories lie in one space, that
of the frozen text encoder (the idea of ConSE, Norouzi et al. 2014).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.model.nanodet import BINS, CLASSES, WIDTH, Detected, NanoDet

SHARPNESS = 40.0
"""Factor of the cosines before the softmax over the categories."""
DETECTORS = {"nanodet-plus-m": NanoDet}
"""Detectors by `DmmiConfig.guide`."""


class Guidance(NamedTuple):
    maps: list[Tensor]
    """What is added to the maps of the stages at strides 8, 16 and 32, each (B, C, h, w)."""
    prior: Tensor
    """(B,): the highest logit that the detector gives to what the text names, at any position and stride."""


class Guide(nn.Module):
    """Sees no text before its last step, so that texts about one image share it."""

    def __init__(self, name: str, channels: tuple[int, ...]):
        """channels: widths of the stages at strides 8, 16 and 32."""
        super().__init__()
        self.detector = DETECTORS[name]()
        self.project = nn.ModuleList(nn.Conv2d(WIDTH + 4, width, 1) for width in channels)
        self.category = nn.ModuleList(nn.Conv2d(1, width, 1) for width in channels)
        for layer in (*self.project, *self.category):  # the stages begin as they were trained
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, image: Tensor, categories: Tensor, image_of: Tensor | None = None) -> Guidance:
        """image RGB in [0, 1], (I, 3, H, W); categories (B, 80), the share of each in what a text names;
        image_of int64 (B,), the image of each text, where not every text has its own.
        """
        found = self.detector(image)
        seen = [layer(_described(level)) for layer, level in zip(self.project, found, strict=False)]
        classes = [level.classes for level in found]
        if image_of is not None:
            seen, classes = ([x[image_of] for x in maps] for maps in (seen, classes))
        named = [torch.einsum("bchw,bc->bhw", logits, categories)[:, None] for logits in classes]
        maps = [x + layer(logits) for x, layer, logits in zip(seen, self.category, named, strict=False)]
        prior = torch.stack([logits.flatten(1).amax(dim=1) for logits in named]).amax(dim=0)
        return Guidance(maps, prior)


def _described(level: Detected) -> Tensor:
    """Features and expected distances to the sides of the box in strides, (B, 100, h, w).

    The class logits are a linear map of the features, and so are in them.
    """
    bins = level.boxes.unflatten(1, (4, BINS)).softmax(dim=2)
    steps = torch.arange(BINS, device=bins.device, dtype=bins.dtype)
    return torch.cat([level.features, torch.einsum("bskhw,k->bshw", bins, steps)], dim=1)


class CategoryLink(nn.Module):
    """From the words of a text to the categories of the detector; nothing here learns."""

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("names", torch.zeros(CLASSES, width))
        """Mean features of each category's name, of length 1."""

    @torch.no_grad()
    def learn_names(self, features: list[Tensor]) -> None:
        """features of each name's tokens, (L, width), without [CLS] and [SEP]; in the detector's order."""
        self.names.copy_(F.normalize(torch.stack([tokens.mean(dim=0) for tokens in features]), dim=1))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """features of the text encoder (B, L, width), mask bool (B, L) -> shares (B, 80), of sum 1."""
        cosines = F.normalize(features, dim=2) @ self.names.T
        cosines = cosines.masked_fill(~_words(mask)[:, :, None], -1.0)
        return (SHARPNESS * cosines.amax(dim=1)).softmax(dim=1)


def _words(mask: Tensor) -> Tensor:
    """Bool (B, L): the tokens of (B, L) without the first and the last real one, [CLS] and [SEP]."""
    followed = F.pad(mask[:, 1:], (0, 1))
    return followed & F.pad(mask[:, :-1], (1, 0))
