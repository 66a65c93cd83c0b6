"""Exponential moving average of the weights."""

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dmmi_core.model import Dmmi

Tensors = tuple[Tensor, ...] | list[Tensor]


def moving_average(model: Dmmi, decay: float) -> AveragedModel:
    """Return the averaged model; its `module` is the network with the averaged weights.

    The decay after n updates is at most (1 + n) / (10 + n), so that the first weights are soon forgotten.
    """

    def update(averages: Tensors, values: Tensors, count: Tensor | int) -> None:
        warm = (1 + int(count)) / (10 + int(count))
        get_ema_multi_avg_fn(min(decay, warm))(averages, values, count)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
