"""Save the gradients of the first batch, then train; test_distributed.py runs this, also by torchrun.

python training_process.py RECIPE.yaml OUT.pt output=...
"""

import sys
from dataclasses import replace

import torch

from dmmi_core.config import PRESETS
from dmmi_core.training import Trainer
from dmmi_core.training.recipe import read_recipe
from helpers.tiny import CONFIG


def main(recipe: str, out: str, *overrides: str) -> None:
    torch.set_default_dtype(torch.float64)  # so that rounding hides nothing
    text = replace(CONFIG.text_encoder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    PRESETS["tiny"] = replace(CONFIG, text_encoder=text)
    trainer = Trainer(read_recipe(recipe, list(overrides)))
    terms = trainer._means([trainer._backward(next(trainer._batches()))])
    gradients = {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.grad is not None}
    trainer.optimizer.zero_grad()
    trainer.run()
    if trainer.accelerator.is_main_process:
        weights = {name: value.detach() for name, value in trainer.model.state_dict().items()}
        torch.save({"gradients": gradients, "terms": terms, "weights": weights}, out)
    trainer.accelerator.end_training()


if __name__ == "__main__":
    main(*sys.argv[1:])
