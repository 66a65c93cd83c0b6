"""`dmmi train`: trains a network as a recipe says."""

import argparse

from dmmi_core.extras import require


def add(commands) -> None:
    parser = commands.add_parser("train", help="train as a recipe says, or resume the training")
    parser.add_argument("recipe", help="a YAML file, or a shipped recipe: dmmi-lite, table3/row-7 and so on")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="replaces a value of the recipe")
    for part in ("backbone", "text"):
        parser.add_argument(
            f"--{part}-weights",
            metavar="WHERE",
            help=f"replaces the recipe's {part}_weights: a file or folder, or a name on the Hugging Face hub",
        )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("torch", "accelerate", "torchmetrics", "tqdm")
    from transformers.utils import logging as transformers_logging

    from dmmi_core.training import Trainer
    from dmmi_core.training.recipe import read_recipe

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # its report of BERT's unused pooler
    weights = {"backbone_weights": arguments.backbone_weights, "text_weights": arguments.text_weights}
    overrides = [f"{key}={value}" for key, value in weights.items() if value is not None]
    Trainer(read_recipe(arguments.recipe, [*arguments.overrides, *overrides])).run()
