"""Targets of the instance head: heat maps of the objects' centres, and offsets to them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

SPREAD = 0.08
"""Standard deviation of a centre's heat along each axis, as a share of the box's side on that axis."""
LEAST_SPREAD = 0.6
"""Lower limit of the standard deviation, in positions of the map."""


class CentreTargets(NamedTuple):
    """Targets in the shape of the instance head's output."""

    heat: Tensor
    """(B, h, w), 1 at each centre and a Gaussian around it."""
    offsets: Tensor
    """(B, 2, h, w), x and y from each position to the centre of its object, as fractions of the sides."""
    weights: Tensor
    """(B, h, w), 1 / the positions of the object that a position belongs to; 0 where there is none."""


def centre_targets(labels: Tensor, boxes: Tensor, count: Tensor, size: tuple[int, int]) -> CentreTargets:
    """Compute the targets for a map of `size` (h, w).

    labels uint8 (B, S, S), boxes (B, K, 4) and count (B,) are those of `Batch`. A centre is the centre of the
    box, so that an object without a mask has one too.
    """
    height, width = size
    numbers = torch.arange(boxes.shape[1], device=boxes.device)
    exists = numbers < count[:, None]  # (B, K)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    grid = labels.new_tensor([width, height], dtype=torch.float32)
    cell = torch.minimum((middle * grid).floor(), grid - 1)
    spread = (SPREAD * (boxes[..., 2:] - boxes[..., :2]) * grid).clamp(min=LEAST_SPREAD)
    x = _gaussian(width, cell[..., 0], spread[..., 0])
    y = _gaussian(height, cell[..., 1], spread[..., 1])
    heat = torch.einsum("bkh,bkw->bkhw", y, x) * exists[:, :, None, None]
    near = F.interpolate(labels[:, None].float(), size=size, mode="nearest-exact")[:, 0].long()
    known = (near > 0) & (near <= boxes.shape[1])
    own = (near - 1).clamp(0, boxes.shape[1] - 1)
    target = torch.gather(middle, 1, own.flatten(1)[..., None].expand(-1, -1, 2))  # (B, h w, 2)
    offsets = target.transpose(1, 2).unflatten(2, size) - _positions(height, width, boxes.device)
    share = F.one_hot(own.flatten(1), boxes.shape[1]) * known.flatten(1)[..., None]  # (B, h w, K)
    area = share.sum(dim=1).clamp(min=1)
    weights = known / torch.gather(area, 1, own.flatten(1)).unflatten(1, size)
    return CentreTargets(heat.amax(dim=1), offsets, weights)


def _gaussian(length: int, centre: Tensor, spread: Tensor) -> Tensor:
    """Return Gaussians (B, K, length) with the value 1 at each centre (B, K)."""
    distance = torch.arange(length, device=centre.device) - centre[..., None]
    return torch.exp(-(distance**2) / (2 * spread[..., None] ** 2))


def _positions(height: int, width: int, device: torch.device) -> Tensor:
    """Return x and y of each position's centre as fractions of the sides, (2, h, w)."""
    y = (torch.arange(height, device=device) + 0.5) / height
    x = (torch.arange(width, device=device) + 0.5) / width
    return torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)])
