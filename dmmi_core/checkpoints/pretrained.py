"""Pretrained encoders to start training from."""

import logging
import pickle
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertModel

from dmmi_core.errors import ModelError, one_line
from dmmi_core.model import Dmmi
from dmmi_core.model.nanodet import graph_order
from dmmi_core.model.swin_weights import to_timm_names
from dmmi_core.shipped_files import shared

logger = logging.getLogger(__name__)
PACKAGE = "package:"
TOKENIZER_FILES = ("config.json", "tokenizer*", "special_tokens_map.json", "vocab.txt")
MODEL_FILES = (*TOKENIZER_FILES, "model.safetensors")
_FILE_TYPES = (".pth", ".pt", ".bin", ".safetensors")


def resolve(location: str, *, files: tuple[str, ...] = MODEL_FILES) -> Path:
    """Return a local path. "package:NAME/FILE" is FILE in the installed Python package NAME; a path that does
    not exist may be a shipped file, such as "models/dmmi-lite"; "OWNER/NAME", if it is neither, is a model on
    the Hugging Face hub, of which `files` are fetched. Raises ModelError.
    """
    if location.startswith(PACKAGE):
        return _in_package(location.removeprefix(PACKAGE))
    path = Path(location)
    if path.exists():
        return path
    if path.parts[:1] in (("models",), ("training",)) and (shipped := shared(*path.parts)):
        return shipped
    if re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", location) and not location.endswith(_FILE_TYPES):
        return _from_hub(location, files)
    raise ModelError(f"no such file or folder: {path}")


def _in_package(location: str) -> Path:
    name, _, inside = location.partition("/")
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


def _from_hub(name: str, files: tuple[str, ...]) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=list(files)))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"no such file or folder: {name}, and the Hugging Face hub does not give it either; on a machine "
            f"with a network, download {', '.join(files)} into a folder, and name that folder instead"
        ) from error


def read_weights(path: Path, device: str | torch.device = "cpu", *, allow: tuple[type, ...] = ()) -> dict:
    """Read a `.pth` file: tensors, plain values and objects of the types `allow`. Raises ModelError.

    Code in it is never run. If its format allows, tensors stay in the file until they are used.
    """
    try:
        with torch.serialization.safe_globals(list(allow)):
            state = torch.load(path, map_location=device, weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"{found[1]}, which could run code" if found else "more than tensors and plain values"
        raise ModelError(f"{path} is refused: it holds {what}") from error
    except Exception as error:  # a damaged file makes PyTorch raise many kinds
        raise ModelError(f"cannot read {path}, or it is damaged: {one_line(error)}") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} holds no weights but {type(state).__name__}")
    return state


def load_backbone(model: Dmmi, location: str) -> None:
    """Load backbone weights of timm, torchvision, EfficientNet-PyTorch or the authors of Swin.

    `location`: see `resolve`; a `.pth` or `.safetensors`, or a folder with model.safetensors.
    """
    state = _body(read_tensors(resolve(location)))
    if "_conv_stem.weight" in state:
        state = rename_efficientnet(state)
    if "patch_embed.proj.weight" in state:
        state = to_timm_names(state)
    model.visual.load_backbone(state)


def read_tensors(path: Path) -> dict:
    """Read a `.safetensors`, a `.pth`, or the model.safetensors of a folder."""
    if path.is_dir():
        path = path / "model.safetensors"
    if path.suffix != ".safetensors":
        return read_weights(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"cannot read {path}: {error}") from error


def load_guide(model: Dmmi, location: str) -> None:
    """Load the guide's weights from a folder with weights.safetensors and graph.param, or a model folder.

    `location`: see `resolve`. Raises ModelError.
    """
    assert model.guide is not None
    if not location:
        raise ModelError("a network with a guide needs its weights: set guide_weights in the recipe")
    folder = resolve(location)
    graph = folder / "graph.param"
    if graph.is_file():
        state = _from_graph(read_tensors(folder / "weights.safetensors"), graph.read_text(encoding="utf-8"))
    else:
        prefix = "guide.detector."
        tensors = read_tensors(folder)
        state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        model.guide.detector.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"guide weights in {location} do not fit: {one_line(error)}") from error


def _from_graph(tensors: dict[str, Tensor], graph: str) -> dict[str, Tensor]:
    """Tensors by our names, of those named as in an ncnn graph; the first convolution sees RGB, not BGR."""
    operations = (line.split() for line in graph.splitlines())
    names = [words[1] for words in operations if words and words[0].startswith("Convolution")]
    ours = list(graph_order())
    if len(names) != len(ours) or not all(f"{name}.weight" in tensors for name in names):
        raise ModelError("guide weights do not fit: graph.param is of another network")
    state = {
        f"{mine}.{part}": tensors[f"{name}.{part}"]
        for mine, name in zip(ours, names, strict=True)
        for part in ("weight", "bias")
    }
    state["stem.weight"] = state["stem.weight"].flip(1)
    return state


def _body(state: dict) -> dict[str, Tensor]:
    """The tensors, unwrapped, without what training code puts before their names."""
    for wrapper in ("model", "state_dict"):
        state = state.get(wrapper, state)
        if not isinstance(state, dict):
            raise ModelError(f"backbone weights do not fit: {wrapper!r} is no dictionary of tensors")
    state = {key: value for key, value in state.items() if isinstance(key, str) and isinstance(value, Tensor)}
    state = without_wrapper(state)
    return {re.sub(r"^(module\.|backbone\.|encoder\.)+", "", key): value for key, value in state.items()}


def without_wrapper(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors without the prefix "module." of DataParallel, and log that there was one."""
    prefix = "module."
    if not any(isinstance(key, str) and key.startswith(prefix) for key in state):
        return dict(state)
    logger.info("the prefix %s, which training on several GPUs puts before names, is stripped", prefix)
    return {str(key).removeprefix(prefix): value for key, value in state.items()}


def load_text_encoder(model: Dmmi, location: str) -> None:
    """Load BERT weights from a Hugging Face folder; a model with fewer layers takes the first ones."""
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
    """Change EfficientNet-PyTorch's names to timm's, with blocks by stage: a change of width begins one."""
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
    places: list[tuple[int, int]] = []
    width, number = None, 0
    while f"_blocks.{number}._project_conv.weight" in state:
        out = state[f"_blocks.{number}._project_conv.weight"].shape[0]
        if out != width:
            places.append((places[-1][0] + 1 if places else 0, 0))
        else:
            places.append((places[-1][0], places[-1][1] + 1))
        width, number = out, number + 1
    return places
