"""Frozen parameters, parameter groups and learning rates."""

from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dmmi_core.model import Dmmi
from dmmi_core.training.recipe import Recipe


def train_mode(model: Dmmi, recipe: Recipe) -> None:
    """Set training mode, except for frozen parts: their parameters, dropout and norm statistics are fixed."""
    model.train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(recipe.freeze))
    frozen = tuple(f"{prefix}." for prefix in recipe.freeze)
    for name, module in model.named_modules():
        norm = isinstance(module, _BatchNorm) and recipe.batch_norm == "frozen"
        if norm or f"{name}.".startswith(frozen):
            module.eval()


def unreached(model: nn.Module) -> list[str]:
    """Return the names of the trained parameters that the last backward pass gave no gradient."""
    return [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Group the parameters by learning rate and weight decay; norms and biases have no weight decay."""
    groups: dict[tuple[float, bool], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((peak_rate(name, recipe), parameter.dim() > 1), []).append(parameter)
    return [
        {"params": params, "peak": peak, "weight_decay": recipe.weight_decay if matrix else 0.0}
        for (peak, matrix), params in groups.items()
    ]


def peak_rate(name: str, recipe: Recipe) -> float:
    """Return the learning rate of a parameter before decay, by the longest prefix of its name."""
    rates = {"": recipe.learning_rate, "visual.": recipe.backbone_learning_rate, **recipe.learning_rates}
    return rates[max((prefix for prefix in rates if name.startswith(prefix)), key=len)]


def learning_rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Return the factor of the peak rate: linear warm-up times polynomial decay of power 0.9, as released."""
    return (1 - step / steps) ** 0.9 * min(1.0, (step + 1) / max(warmup_steps, 1))
