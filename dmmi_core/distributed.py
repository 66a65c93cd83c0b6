"""What is shared between the processes of a training or evaluation; alone, each function is the identity."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_gather


def world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if world_size() > 1 else 0


def process_mean(value: Tensor) -> Tensor:
    """Mean of `value` over the processes, without gradient."""
    if world_size() == 1:
        return value.detach()
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / world_size()


def gather(rows: Tensor) -> Tensor:
    """The rows (B, D) of every process, by rank, (world_size * B, D); the gradient flows back to all."""
    return rows if world_size() == 1 else torch.cat(all_gather(rows.contiguous()))
