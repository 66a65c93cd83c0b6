"""The tensors of a network by their shapes alone, to see its size before memory is taken for it."""

import torch
from torch import Tensor

from dmmi_core.config import DmmiConfig
from dmmi_core.errors import ModelError, one_line
from dmmi_core.model.dmmi import Dmmi

MOST_NUMBERS = 1_000_000_000
"""Most numbers in a network, 4 GB in float32; Swin-B with BERT-base has 0.28 billion."""


def shapes(config: DmmiConfig) -> dict[str, Tensor]:
    """Return the state of the network as tensors on the meta device, which take no memory.

    Raises ModelError for a configuration that no network can have, and for one of a too large network.
    """
    try:
        with torch.device("meta"):
            network = Dmmi(config)
    except ModelError:
        raise
    except Exception as error:  # timm, transformers and PyTorch raise many kinds
        raise ModelError(f"configuration: there is no such network: {one_line(error)}") from error
    numbers = sum(tensor.numel() for tensor in (*network.parameters(), *network.buffers()))
    if numbers > MOST_NUMBERS:
        raise ModelError(
            f"configuration: the network would have {numbers:,} numbers; it may have {MOST_NUMBERS:,}"
        )
    return network.state_dict()


def new_network(config: DmmiConfig) -> Dmmi:
    """Return a network as initialised for training from scratch. Raises ModelError as `shapes`."""
    shapes(config)
    return Dmmi(config)
