"""`dmmi export`: a model folder as the graphs of an engine."""

import argparse
from pathlib import Path

from dmmi_core.engines.registry import NEEDED


def add(commands) -> None:
    parser = commands.add_parser(
        "export",
        help="turn a model folder into one for ONNX Runtime or OpenVINO",
        description="Turn a model folder into one that runs without PyTorch, to be taken elsewhere. Here it "
        "is not needed: what opens a model for these engines exports it by itself, and keeps that.",
    )
    parser.add_argument("model", metavar="MODEL", help="a shipped model's name, or a folder")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="the folder to make")
    parser.add_argument("--format", choices=NEEDED, required=True, help="the engine it is for")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from dmmi_core.checkpoints.folder import find_model
    from dmmi_core.engines.export import export_folder

    found = export_folder(find_model(arguments.model), arguments.format, arguments.folder)
    for precision, error in found.items():
        print(f"{arguments.format} {precision}: {100 * error:.2g} % from PyTorch")
    print(f"{arguments.folder}: try it with dmmi segment IMAGE TEXT --model {arguments.folder}")
