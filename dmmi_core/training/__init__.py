"""The training engine behind the recipes."""

from dmmi_core.training.trainer import Trainer

__all__ = ["Trainer"]
