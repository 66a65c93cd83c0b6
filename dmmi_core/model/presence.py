"""Presence head: is there any target at all? Ours, not the paper's."""

import torch
from torch import Tensor, nn

from dmmi_core.model.recovery import masked_mean


class PresenceHead(nn.Module):
    """Reads the strongest responses of the text-queried map, since one small target is enough."""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, refined: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """refined Y_2 (B, D, h, w), text E_4* (B, L, D), mask bool (B, L) -> logits (B,)."""
        strongest = refined.flatten(2).amax(dim=2)
        return self.layers(torch.cat([strongest, masked_mean(text, mask)], dim=1)).squeeze(1)
