"""Training of models from recipes."""

from dmmi_core.training.trainer import Trainer

__all__ = ["Trainer"]
