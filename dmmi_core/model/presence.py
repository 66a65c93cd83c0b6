"""Presence head: the probability that the image holds any target (not in the paper)."""

import torch
from torch import Tensor, nn

from dmmi_core.model.pooling import masked_mean

PRIOR_SCALE, PRIOR_SHIFT = 2.0, 1.8
"""Initial logit of presence from the prior alone, scale * (prior + shift): a rounded logistic regression."""


class PresenceHead(nn.Module):
    """Logit of presence from the text and the maximum over all positions, as one small target is enough.

    With `guided`, the head adds a correction to the logit that the guide's prior alone gives, so that it is
    useful from the first training step.
    """

    def __init__(self, width: int, *, guided: bool = False):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * width + guided, width), nn.ReLU(), nn.Linear(width, 1))
        self.prior = _prior_layer() if guided else None

    def forward(self, refined: Tensor, text: Tensor, mask: Tensor, prior: Tensor | None = None) -> Tensor:
        """refined Y_2 (B, D, h, w), text E_4* (B, L, D), mask bool (B, L), prior (B,) -> logits (B,)."""
        features = [refined.flatten(2).amax(dim=2), masked_mean(text, mask)]
        if self.prior is None or prior is None:
            return self.layers(torch.cat(features, dim=1)).squeeze(1)
        prior = prior[:, None]
        return (self.layers(torch.cat([*features, prior], dim=1)) + self.prior(prior)).squeeze(1)


def _prior_layer() -> nn.Linear:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, PRIOR_SCALE)
    nn.init.constant_(layer.bias, PRIOR_SCALE * PRIOR_SHIFT)
    return layer
