"""Which parameters learn, and how quickly."""

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dmmi_core.model import Dmmi
from dmmi_core.training.recipe import Recipe


def train_mode(model: Dmmi, recipe: Recipe) -> None:
    """Training mode, except for what is frozen: its parameters, its dropout, its norms' statistics."""
    model.train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(recipe.freeze))
    frozen = tuple(f"{prefix}." for prefix in recipe.freeze)
    for name, module in model.named_modules():
        norm = isinstance(module, _BatchNorm) and recipe.batch_norm == "frozen"
        if norm or f"{name}.".startswith(frozen):
            module.eval()


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict]:
    """Parameters of one learning rate, each without weight decay for norms and biases."""
    groups: dict[tuple[float, bool], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((peak_rate(name, recipe), parameter.dim() > 1), []).append(parameter)
    return [
        {"params": params, "peak": peak, "weight_decay": recipe.weight_decay if matrix else 0.0}
        for (peak, matrix), params in groups.items()
    ]


def peak_rate(name: str, recipe: Recipe) -> float:
    """The learning rate of a parameter, before it decays."""
    rates = {"": recipe.learning_rate, "visual.": recipe.backbone_learning_rate, **recipe.learning_rates}
    return rates[max((prefix for prefix in rates if name.startswith(prefix)), key=len)]


def learning_rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Of the peak: linear warm-up, then the paper's polynomial decay, power 0.9 as released."""
    return (1 - step / steps) ** 0.9 * min(1.0, (step + 1) / max(warmup_steps, 1))
