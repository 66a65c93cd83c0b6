"""Collective operations of the processes of a training or evaluation; identities in a single process."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_gather


def world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if world_size() > 1 else 0


def process_mean(value: Tensor) -> Tensor:
    """Return the mean of `value` over the processes, without gradient."""
    if world_size() == 1:
        return value.detach()
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / world_size()


def gather(rows: Tensor) -> Tensor:
    """Concatenate the rows (B, D) of all processes by rank: (world_size * B, D), with gradients for all."""
    return rows if world_size() == 1 else torch.cat(all_gather(rows.contiguous()))


def gather_list(items: list[Any]) -> list[Any]:
    """Concatenate the lists of all processes by rank."""
    if world_size() == 1:
        return items
    parts: list[Any] = [None] * world_size()
    dist.all_gather_object(parts, items)
    return [item for part in parts for item in part]
