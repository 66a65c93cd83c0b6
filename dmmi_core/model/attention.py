"""Multi-scale bi-directional attention (MBA) between image regions and token sequences (paper 3.1.2).

Region affinities are computed as printed; `released_attention` has those of the released network. Eq. 1,
plain cross-attention, is the special case of one region size of 1. The sum over a region in eq. 2 and 5 is
linear, so it is taken over the L logits of each position, by a box filter, and not over the C channels of
the query: L (20 tokens) is far smaller than C.
"""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.model.image_projection import Projection


def text_to_image_affinity(
    query: Tensor, key: Tensor, mask: Tensor, regions: Sequence[int], weights: Tensor
) -> Tensor:
    """Return W_att^alpha of eq. 2 and 3: how much each position attends to each token.

    query (B, C, H, W), key (B, L, C), mask bool (B, L), `regions` the odd sides of the square regions,
    weights (R,) the lambda_r^alpha. Regions are clipped at the border of the image.
    Returns (B, L, H, W); padded tokens get 0.
    """
    logits = torch.einsum("bchw,blc->blhw", query, key) * query.shape[1] ** -0.5
    padded = ~mask[:, :, None, None]
    maps = [_box_sum(logits, side).masked_fill(padded, -torch.inf).softmax(dim=1) for side in regions]
    return combine_regions(maps, weights)


def image_to_text_affinity(products: Tensor, regions: Sequence[int], weights: Tensor) -> Tensor:
    """Return W_att^beta of eq. 5: how much each token attends to each position.

    products (B, L, N), the query-key products divided by sqrt(C), and 0 for padded tokens so that these add
    nothing to a sequence; `regions` the lengths of the sequences that start at a token; weights (R,) the
    lambda_r^beta.
    Returns (B, L, N).
    """
    maps = [_sequence_sum(products, length).softmax(dim=2) for length in regions]
    return combine_regions(maps, weights)


def combine_regions(maps: Iterable[Tensor], weights: Tensor) -> Tensor:
    """Return the weighted sum of the affinities of all region sizes (eq. 3).

    maps R tensors of one shape, weights (R,) the lambda_r.
    """
    weighted = (weight * affinity for weight, affinity in zip(weights, maps, strict=True))
    return reduce(operator.add, weighted)


def _box_sum(logits: Tensor, side: int) -> Tensor:
    """Sum (B, L, H, W) over the side x side region centred at each position, with zeros outside."""
    if side == 1:
        return logits
    return F.avg_pool2d(logits, side, stride=1, padding=side // 2) * side**2


def _sequence_sum(logits: Tensor, length: int) -> Tensor:
    """Sum rows i .. i + length - 1 of (B, L, N) into row i, with zeros past the end."""
    tokens = logits.shape[1]
    padded = F.pad(logits, (0, 0, 0, length - 1))
    return reduce(operator.add, (padded[:, start : start + tokens] for start in range(length)))


class RegionWeights(nn.Module):
    """The learnable lambda_r of eq. 3: a softmax keeps them a weighted average; they start equal."""

    def __init__(self, count: int):
        super().__init__()
        self.logits = nn.Parameter(torch.ones(count))

    def forward(self) -> Tensor:
        return self.logits.softmax(dim=0)


class TextToImageAttention(nn.Module):
    """Text-to-image alignment (eq. 2-4): each position gathers the tokens that its regions match."""

    def __init__(self, *, channels: int, text_width: int, regions: Sequence[int]):
        super().__init__()
        self.regions = tuple(regions)
        self.build_affinity(channels, text_width)
        self.value = nn.Linear(text_width, channels)
        self.output = Projection(channels, channels)
        self.weights = RegionWeights(len(self.regions))

    def build_affinity(self, channels: int, text_width: int) -> None:
        self.query = Projection(channels, channels)
        self.key = nn.Linear(text_width, channels)

    def affinity(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return W_att^alpha (B, L, H, W); arguments as in `forward`."""
        return text_to_image_affinity(self.query(x), self.key(text), mask, self.regions, self.weights())

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L) -> (B, C, H, W)."""
        affinity = self.affinity(x, text, mask)
        return self.output(torch.einsum("blhw,blc->bchw", affinity, self.value(text)))


class ImageToTextAttention(nn.Module):
    """Image-to-text alignment (eq. 5 and 6): each token gathers the positions that its sequences match."""

    def __init__(self, *, channels: int, text_width: int, regions: Sequence[int]):
        super().__init__()
        self.regions = tuple(regions)
        self.build_affinity(channels, text_width)
        self.value = Projection(channels, text_width)
        self.output = nn.Linear(text_width, text_width)
        self.weights = RegionWeights(len(self.regions))

    def build_affinity(self, channels: int, text_width: int) -> None:
        self.query = nn.Linear(text_width, text_width)
        self.key = Projection(channels, text_width)

    def affinity(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return W_att^beta (B, L, N); arguments as in `forward`."""
        query = self.query(text) * mask[:, :, None]
        products = self.key.products(query, x) * text.shape[2] ** -0.5
        return image_to_text_affinity(products, self.regions, self.weights())

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, H, W), text (B, L, D), mask bool (B, L) -> (B, L, D)."""
        return self.output(self.value.gathered(self.affinity(x, text, mask), x))
