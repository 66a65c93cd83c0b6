"""`dmmi convert`: turns a checkpoint of the authors into a model folder."""

import argparse

from dmmi_core.extras import require


def add(commands) -> None:
    parser = commands.add_parser("convert", help="turn a checkpoint of the authors into a model folder")
    parser.add_argument("checkpoint", metavar="RELEASED.pth", help="as their training code wrote it")
    parser.add_argument("folder", metavar="OUT_DIR", help="the folder to make")
    parser.add_argument(
        "--model-name", metavar="PRESET", help="refuse a checkpoint that is not of this *-released preset"
    )
    parser.add_argument(
        "--tokenizer",
        default="bert-base-uncased",
        metavar="FOLDER",
        help="a folder with tokenizer.json or vocab.txt, or a name on the Hugging Face hub (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("torch", "timm", "transformers")
    from dmmi_core.checkpoints.released import convert

    convert(
        arguments.checkpoint,
        arguments.folder,
        tokenizer=arguments.tokenizer,
        model_name=arguments.model_name,
    )
    print(f"{arguments.folder}: try it with dmmi segment IMAGE TEXT --model {arguments.folder}")
