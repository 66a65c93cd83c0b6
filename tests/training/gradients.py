"""Run by test_distributed.py, alone or by torchrun: the gradients of one batch, from the main process.

python gradients.py RECIPE.yaml OUT.pt
"""

import sys
from dataclasses import replace

import torch
from tiny import CONFIG

from dmmi_core.config import PRESETS
from dmmi_core.recipe import read_recipe
from dmmi_core.training import Trainer


def main(recipe: str, out: str) -> None:
    torch.set_default_dtype(torch.float64)
    text = replace(CONFIG.text_encoder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    PRESETS["tiny"] = replace(CONFIG, text_encoder=text)
    trainer = Trainer(read_recipe(recipe))
    terms = trainer._means([trainer._backward(next(trainer._batches()))])
    if trainer.accelerator.is_main_process:
        gradients = {name: p.grad for name, p in trainer.model.named_parameters() if p.grad is not None}
        torch.save({"gradients": gradients, "terms": terms}, out)
    trainer.accelerator.end_training()


if __name__ == "__main__":
    main(*sys.argv[1:])
