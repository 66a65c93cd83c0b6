"""A frozen detector that guides the network (not in the paper).

Its features and class logits join the encoder stages, and its logits of the categories that a text names are
a prior for the presence head. The categories need no training: the words of a text are compared with the
names of the categories in the space of the frozen text encoder (the idea of ConSE, Norouzi et al. 2014).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.model.nanodet import BINS, CLASSES, STRIDES, WIDTH, DetectorLevel, NanoDet

SHARPNESS = 40.0
"""Factor of the cosines before the softmax over the categories."""


class GuideOutput(NamedTuple):
    """Output of a guide, to be added to the network."""

    maps: list[Tensor]
    """Terms to add to the stages' inputs at strides 8, 16 and 32, (B, C, h, w) each."""
    detections: Tensor
    """(B, P): logit of the categories that the text names, at the P positions of all strides."""
    boxes: Tensor
    """(B, P, 4): box at each position, left, top, right and bottom as fractions of the image's sides."""

    @property
    def prior(self) -> Tensor:
        """(B,): highest logit of the categories that the text names."""
        return self.detections.amax(dim=1)


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
        distances = [_distances(level) for level in levels]
        # Class logits are left out, as they are a linear map of the features.
        features = [
            layer(torch.cat([level.features, sides], dim=1))
            for layer, level, sides in zip(self.project, levels, distances, strict=False)
        ]
        boxes = torch.cat(
            [
                _boxes(sides, stride, image.shape[2:])
                for sides, stride in zip(distances, STRIDES, strict=True)
            ],
            dim=1,
        )
        classes = [level.classes for level in levels]
        if image_of is not None:
            features, classes = ([x[image_of] for x in maps] for maps in (features, classes))
            boxes = boxes[image_of]
        named = [torch.einsum("bchw,bc->bhw", logits, categories)[:, None] for logits in classes]
        maps = [x + layer(logits) for x, layer, logits in zip(features, self.category, named, strict=False)]
        return GuideOutput(maps, torch.cat([logits.flatten(1) for logits in named], dim=1), boxes)


def _zero_projection(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 1x1 convolution of zeros: at first the stages compute what they were pretrained for."""
    layer = nn.Conv2d(inputs, outputs, 1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _distances(level: DetectorLevel) -> Tensor:
    """Return the expected distances to the sides of the box, (B, 4, h, w), in strides."""
    bins = level.boxes.unflatten(1, (4, BINS)).softmax(dim=2)
    steps = torch.arange(BINS, device=bins.device, dtype=bins.dtype)
    return torch.einsum("bskhw,k->bshw", bins, steps)


def _boxes(distances: Tensor, stride: int, size: Sequence[int]) -> Tensor:
    """Return the boxes of a level, (B, h w, 4), as `GuideOutput.boxes`; `size` is that of the image, (H, W).

    NanoDet measures the distances from the top left corner of each position's cell.
    """
    height, width = (side / stride for side in size)
    rows, columns = (torch.arange(n, device=distances.device) for n in distances.shape[2:])
    left, top, right, bottom = distances.unbind(dim=1)
    x, y = columns, rows[:, None]
    sides = ((x - left) / width, (y - top) / height, (x + right) / width, (y + bottom) / height)
    return torch.stack([side.flatten(1) for side in sides], dim=2)


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
