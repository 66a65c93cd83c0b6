"""Presence head: is there any target at all? Ours, not the paper's."""

import torch
from torch import Tensor, nn

from dmmi_core.model.recovery import masked_mean

PRIOR_SCALE, PRIOR_SHIFT = 2.0, 1.8
"""Presence by the prior alone has the logit scale (prior + shift): a logistic regression, rounded."""


class PresenceHead(nn.Module):
    """Reads the strongest responses of the text-queried map, since one small target is enough.

    With `guided`, it corrects what the guide's prior says by itself, which is right from the first step.
    """

    def __init__(self, width: int, *, guided: bool = False):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * width + guided, width), nn.ReLU(), nn.Linear(width, 1))
        self.prior = nn.Linear(1, 1) if guided else None
        if guided:
            nn.init.constant_(self.prior.weight, PRIOR_SCALE)
            nn.init.constant_(self.prior.bias, PRIOR_SCALE * PRIOR_SHIFT)

    def forward(self, refined: Tensor, text: Tensor, mask: Tensor, prior: Tensor | None = None) -> Tensor:
        """refined Y_2 (B, D, h, w), text E_4* (B, L, D), mask bool (B, L), prior (B,) -> logits (B,)."""
        strongest = refined.flatten(2).amax(dim=2)
        found = [strongest, masked_mean(text, mask)]
        if self.prior is None:
            return self.layers(torch.cat(found, dim=1)).squeeze(1)
        prior = prior[:, None]
        return (self.layers(torch.cat([*found, prior], dim=1)) + self.prior(prior)).squeeze(1)
