"""Exponential moving average of the weights."""

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dmmi_core.model import Dmmi


def moving_average(model: Dmmi, decay: float) -> AveragedModel:
    """Its `module` is the average. The decay begins smaller, so that the first weights are soon forgotten."""

    def update(averages: list[Tensor], values: list[Tensor], count: Tensor) -> None:
        warm = (1 + int(count)) / (10 + int(count))
        get_ema_multi_avg_fn(min(decay, warm))(averages, values, count)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
