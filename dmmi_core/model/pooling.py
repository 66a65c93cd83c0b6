"""Pooling over the tokens of a text."""

from torch import Tensor


def masked_mean(text: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, D) of text (B, L, D) over the tokens where mask (B, L) is True."""
    weights = mask.to(text.dtype)[:, :, None]
    return (text * weights).sum(dim=1) / weights.sum(dim=1)
