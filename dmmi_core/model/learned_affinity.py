"""MBA as released: each region has a query of its own, convolved over the region, and a key of its own.

Where eq. 2 and 5 sum the affinities of a region, the released network learns how to combine its features
before they meet the other modality. Regions also differ from the printed ones: a sequence of r tokens holds
those before and after token i (r = 2: i - 1, i; r = 3: i - 1, i, i + 1), continued at both ends by the
outermost token; and the queries of larger regions are narrower inside.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.model.attention import ImageToTextAttention, TextToImageAttention, combine_regions
from dmmi_core.model.projection import PositionNorm, Projection


class LearnedTextToImageAttention(TextToImageAttention):
    """As `TextToImageAttention`, with one `ImageRegion` for each size."""

    def build_affinity(self, channels: int, text_width: int) -> None:
        self.maps = nn.ModuleList(ImageRegion(channels, text_width, side) for side in self.regions)

    def affinity(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """(B, L, H, W); padded tokens get 0."""
        return combine_regions((region(x, text, mask) for region in self.maps), self.weights())


class LearnedImageToTextAttention(ImageToTextAttention):
    """As `ImageToTextAttention`, with one `TextRegion` for each length."""

    def build_affinity(self, channels: int, text_width: int) -> None:
        self.maps = nn.ModuleList(TextRegion(channels, text_width, length) for length in self.regions)

    def affinity(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """(B, L, N); a padded token attends to all positions alike."""
        return combine_regions((region(x, text, mask) for region in self.maps), self.weights())


class ImageRegion(nn.Module):
    """How much each position attends to each token, by the side x side square around it."""

    def __init__(self, channels: int, text_width: int, side: int):
        super().__init__()
        width = channels // max(side - 1, 1)
        self.narrow = Projection(channels, width)
        self.query = nn.Sequential(
            nn.Conv2d(width, channels, side, padding=side // 2), PositionNorm(channels)
        )
        self.key = nn.Linear(text_width, channels)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L) -> (B, L, H, W), a softmax over L."""
        query, key = self.query(self.narrow(x)), self.key(text)
        logits = torch.einsum("bchw,blc->blhw", query, key) * x.shape[1] ** -0.5
        return logits.masked_fill(~mask[:, :, None, None], -torch.inf).softmax(dim=1)


class TextRegion(nn.Module):
    """How much each token attends to each position, by the sequence of `length` tokens around it."""

    def __init__(self, channels: int, text_width: int, length: int):
        super().__init__()
        width = channels // length
        self.narrow = nn.Linear(text_width, width)
        self.query = nn.Conv1d(width, text_width, length)
        self.key = Projection(channels, text_width)
        self.ends = (length // 2, (length - 1) // 2)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L) -> (B, L, N), a softmax over N.

        The scale is of C and not of D, as released.
        """
        tokens = F.pad(self.narrow(text).transpose(1, 2), self.ends, mode="replicate")
        query = self.query(tokens).transpose(1, 2) * mask[:, :, None]  # (B, L, D)
        logits = self.key.products(query, x) * x.shape[1] ** -0.5
        return logits.softmax(dim=2)
