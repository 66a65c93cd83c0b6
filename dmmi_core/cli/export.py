"""`dmmi export`: a model folder with graphs that run without PyTorch."""

import argparse
from pathlib import Path
from shutil import copytree

from dmmi_core.checkpoints.model_folder import find_model
from dmmi_core.engines.export_process import export_in_child
from dmmi_core.engines.manifest import MANIFEST
from dmmi_core.engines.registry import EXPORT_PACKAGES
from dmmi_core.errors import InputError
from dmmi_core.extras import require
from dmmi_core.files import replaced_folder


def add(commands) -> None:
    parser = commands.add_parser(
        "export",
        help="add graphs to a model, for ONNX Runtime and OpenVINO",
        description="Copy a model folder and add graphs that ONNX Runtime and OpenVINO run without PyTorch. "
        "The graphs share the folder's weights. Without this command they are made when first needed, and "
        "kept in a cache.",
    )
    parser.add_argument("model", metavar="MODEL", help="a shipped model's name, or a folder")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="folder to make, or MODEL itself")
    parser.add_argument("--format", help=argparse.SUPPRESS)  # graphs were once made for one engine alone
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require(*EXPORT_PACKAGES)
    for engine, error in _exported(find_model(arguments.model), arguments.folder).items():
        print(f"{engine.replace(':', ' ')}: {100 * error:.2g} % from PyTorch")
    print(f"{arguments.folder}: try it with dmmi segment IMAGE TEXT --model {arguments.folder}")


def _exported(model: Path, folder: Path) -> dict[str, float]:
    """Make `folder` a copy of `model` with graphs, at once or not at all."""
    if folder.exists() and not (folder / MANIFEST).is_file() and folder.resolve() != model.resolve():
        raise InputError(f"{folder} is there, and is not an exported model: choose another folder")
    try:
        with replaced_folder(folder) as new:
            copytree(model, new, dirs_exist_ok=True)
            return export_in_child(new)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror}") from error
