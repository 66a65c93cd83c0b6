"""MBA as released: each region size has a key of its own, and a query convolved over the region.

Eq. 2 and 5 sum the affinities of a region. The released network instead learns how to combine the features of
a region before they meet the other modality. Its regions also differ from the printed ones: a sequence of r
tokens lies around token i (r = 2: i - 1, i; r = 3: i - 1, i, i + 1), and the outermost token repeats at both
ends; the queries of larger regions are narrower inside.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.model.attention import ImageToTextAttention, TextToImageAttention, combine_regions
from dmmi_core.model.image_projection import PositionNorm, Projection


class LearnedTextToImageAttention(TextToImageAttention):
    """`TextToImageAttention` with one `ImageRegion` for each region size."""

    def build_affinity(self, channels: int, text_width: int) -> None:
        self.maps = nn.ModuleList(
            ImageRegion(channels=channels, text_width=text_width, side=side) for side in self.regions
        )

    def affinity(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return W_att^alpha (B, L, H, W); padded tokens get 0."""
        return combine_regions((region(x, text, mask) for region in self.maps), self.weights())


class LearnedImageToTextAttention(ImageToTextAttention):
    """`ImageToTextAttention` with one `TextRegion` for each sequence length."""

    def build_affinity(self, channels: int, text_width: int) -> None:
        self.maps = nn.ModuleList(
            TextRegion(channels=channels, text_width=text_width, length=length) for length in self.regions
        )

    def affinity(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return W_att^beta (B, L, N); a padded token attends to all positions equally."""
        return combine_regions((region(x, text, mask) for region in self.maps), self.weights())


class ImageRegion(nn.Module):
    """Affinity of each position with each token, from the side x side square around the position."""

    def __init__(self, *, channels: int, text_width: int, side: int):
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
    """Affinity of each token with each position, from the sequence of `length` tokens around the token."""

    def __init__(self, *, channels: int, text_width: int, length: int):
        super().__init__()
        width = channels // length
        self.narrow = nn.Linear(text_width, width)
        self.query = nn.Conv1d(width, text_width, length)
        self.key = Projection(channels, text_width)
        self.padding = (length // 2, (length - 1) // 2)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L) -> (B, L, N), a softmax over N.

        Logits are divided by the root of C and not of D, as released.
        """
        tokens = F.pad(self.narrow(text).transpose(1, 2), self.padding, mode="replicate")
        query = self.query(tokens).transpose(1, 2) * mask[:, :, None]  # (B, L, D)
        logits = self.key.products(query, x) * x.shape[1] ** -0.5
        return logits.softmax(dim=2)
