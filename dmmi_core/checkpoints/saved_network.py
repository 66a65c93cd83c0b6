"""Our model format: a folder with config.json, model.safetensors and the tokenizer."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase

from dmmi_core.checkpoints.model_folder import CONFIG, WEIGHTS, read_config, write_config
from dmmi_core.config import DmmiConfig
from dmmi_core.errors import ModelError, one_line
from dmmi_core.files import replaced_folder
from dmmi_core.model import Dmmi
from dmmi_core.model.shapes import shapes
from dmmi_core.tokenizer import load_tokenizer

TRAINING_ONLY = ("recovery.", "pooling.")


def load_model(folder: Path) -> tuple[Dmmi, PreTrainedTokenizerBase]:
    """Load the network of a model folder, as `load_network`, and its tokenizer. Raises ModelError."""
    return load_network(folder), load_tokenizer(folder)


def load_network(folder: Path) -> Dmmi:
    """Load the network of a model folder: float32, evaluation mode, on the CPU. Raises ModelError."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is not a model folder: it has no {name}")
    config = read_config(folder)
    try:
        _compare(shapes(config), folder / WEIGHTS)
        model = Dmmi(config)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except Exception as error:  # a damaged file can make any part of the network fail
        raise ModelError(f"the model in {folder} is damaged: {one_line(error)}") from error
    return model.eval()


def _compare(wanted: dict[str, torch.Tensor], path: Path) -> None:
    """Raise ModelError if a tensor is not in `path` or has another shape there; this reads no tensor."""
    with safe_open(path, framework="pt") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    for name, tensor in wanted.items():
        if found.get(name) != tuple(tensor.shape):
            there = f"has the shape {found[name]}" if name in found else "is missing"
            raise ModelError(f"{name} {there}; {CONFIG} says {tuple(tensor.shape)}")


def save_model(
    model: Dmmi, tokenizer: PreTrainedTokenizerBase, folder: Path, *, dtype: torch.dtype = torch.float16
) -> None:
    """Write what inference needs: the image-to-text decoder is left out. Matrices are stored as `dtype`."""
    config = replace(model.config, reconstruct=False, contrast=False)
    state = {
        key: _stored(value, dtype)
        for key, value in model.state_dict().items()
        if not key.startswith(TRAINING_ONLY)
    }
    write_folder(config, state, tokenizer, folder)


def write_folder(
    config: DmmiConfig, state: dict[str, torch.Tensor], tokenizer: PreTrainedTokenizerBase, folder: Path
) -> None:
    """Write a model folder of a complete state, unchanged; it replaces `folder` completely or not at all.

    Raises OutputError if there is no room for it.
    """
    needed = sum(tensor.nbytes for tensor in state.values())
    with replaced_folder(folder, needed=needed) as new:
        write_config(config, new)
        save_file(state, new / WEIGHTS, metadata={"format": "pt"})
        (new / WEIGHTS).chmod(0o644)  # safetensors may make it private
        tokenizer.save_pretrained(new)


def _stored(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Biases, norms and their statistics stay in float32: they are small, and some exceed float16."""
    wide = value.is_floating_point() and value.dim() > 1
    return value.detach().to("cpu", dtype if wide else value.dtype).contiguous()
