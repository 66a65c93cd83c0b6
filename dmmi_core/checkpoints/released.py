"""Conversion of a checkpoint of the authors' training code to a model folder.

Such a `.pth` is a dictionary: `model` (the network without its text encoder), `bert_model`, `args` (an
`argparse.Namespace`) and the state of the training. Sizes are read from the shapes of the tensors, and the
names of our tensors are translated into theirs, so that errors name what the file has or lacks.
"""

import logging
import math
import re
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor

from dmmi_core.checkpoints.pretrained import TOKENIZER_FILES, read_weights, resolve, without_wrapper
from dmmi_core.checkpoints.released_names import is_dead, released_name
from dmmi_core.checkpoints.saved_network import write_folder
from dmmi_core.config import DmmiConfig, TextEncoderConfig, preset
from dmmi_core.errors import ModelError, one_line
from dmmi_core.model.shapes import shapes
from dmmi_core.tokenizer import load_tokenizer

logger = logging.getLogger(__name__)
PRESET_NAMES = ("dmmi-swin-base-released", "dmmi-resnet101-released")
TOKENIZER = "bert-base-uncased"
SWIN_BASE = {"embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "window_size": 12}
RESNET101 = {"layers": [3, 4, 23, 3], "channels": [64, 128, 256, 512]}
"""Backbone arguments of the presets that are timm's own defaults."""
HEAD_WIDTH = 64
"""Width of BERT's attention heads in every published size; the shapes of its tensors do not show it."""


def convert(
    path: str | Path, folder: str | Path, *, tokenizer: str = TOKENIZER, model_name: str | None = None
) -> DmmiConfig:
    """Write the checkpoint `path` as a new model folder in float32, completely or not at all.

    What only training uses (recovery and pooling) is kept. `tokenizer` is a folder, or a name on the Hugging
    Face hub; for `model_name` see `read_released`. Raises ModelError.
    """
    folder = Path(folder)
    if folder.exists():
        raise ModelError(f"{folder} exists: remove it, or choose another output folder")
    config, state = read_released(path, model_name=model_name)
    words = load_tokenizer(resolve(tokenizer, files=TOKENIZER_FILES))
    if len(words) > config.text_encoder.vocab_size:
        raise ModelError(
            f"the tokenizer {tokenizer} has {len(words)} word pieces, "
            f"but the model only knows {config.text_encoder.vocab_size}: it needs {TOKENIZER}'s"
        )
    try:
        write_folder(config, state, words, folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"cannot write {folder}: {one_line(error)}") from error
    return config


def read_released(path: str | Path, *, model_name: str | None = None) -> tuple[DmmiConfig, dict[str, Tensor]]:
    """Return configuration and complete state of `Dmmi` from a released `.pth`; its tensors stay on disk.

    `model_name` is the preset that it must be of; by default either one. Raises ModelError where the file is
    anything else than such a checkpoint, or has a tensor too few, too many or of another shape.
    """
    checkpoint = read_weights(Path(path), allow=(Namespace,))
    try:
        return interpret(checkpoint, model_name=model_name)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except Exception as error:  # sizes that make no network fail anywhere
        raise ModelError(f"{path}: not a released checkpoint: {one_line(error)}") from error


def interpret(checkpoint: dict, *, model_name: str | None = None) -> tuple[DmmiConfig, dict[str, Tensor]]:
    """Do what `read_released` does, for the content of the file."""
    tensors = _tensors(checkpoint, "model")
    tensors |= {f"bert_model.{key}": value for key, value in _tensors(checkpoint, "bert_model").items()}
    config = _config(tensors, model_name)
    size = getattr(checkpoint.get("args"), "img_size", None)
    if isinstance(size, int):
        config = replace(config, image_size=size)
    return config, _renamed(tensors, config)


def _tensors(checkpoint: dict, name: str) -> dict[str, Tensor]:
    state = checkpoint.get(name)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"not a released checkpoint: it has no dictionary of tensors called {name!r}")
    return without_wrapper(state)


def _renamed(tensors: dict[str, Tensor], config: DmmiConfig) -> dict[str, Tensor]:
    """Under our names and in our shapes: a 1 x 1 convolution may be a linear layer and so on."""
    wanted = shapes(config)
    names = {key: released_name(key, config) for key in wanted}
    missing = sorted(set(names.values()) - set(tensors))
    unexpected = sorted(key for key in set(tensors) - set(names.values()) if not is_dead(key))
    if missing or unexpected:
        raise ModelError(f"missing tensors: {_listed(missing)}; unexpected tensors: {_listed(unexpected)}")
    logger.info("left out %d tensors that the network never uses", len(tensors) - len(names))
    return {key: _reshaped(names[key], tensors[names[key]], wanted[key]) for key in wanted}


def _listed(keys: list[str]) -> str:
    shown = ", ".join(keys[:8]) or "none"
    return shown if len(keys) <= 8 else f"{shown} and {len(keys) - 8} more"


def _reshaped(name: str, value: Tensor, wanted: Tensor) -> Tensor:
    if value.shape[:1] != wanted.shape[:1] or value.numel() != wanted.numel():
        raise ModelError(f"{name} has the shape {tuple(value.shape)}, not {tuple(wanted.shape)}")
    return value.to(wanted.dtype).reshape(wanted.shape)


def _config(tensors: dict[str, Tensor], model_name: str | None) -> DmmiConfig:
    swin = any(key.startswith("backbone.layers.") for key in tensors)
    found = PRESET_NAMES[0 if swin else 1]
    if model_name not in (None, found):
        raise ModelError(f"it is a checkpoint of {found}, not of {model_name}")
    base = preset(found)
    sizes, usual = (_swin(tensors), SWIN_BASE) if swin else (_resnet(tensors), RESNET101)
    text = _text_encoder(tensors, base.text_encoder)
    layer = "classifier.transformer_fusion1.transformer_model.layers.0"
    unusual = {name: value for name, value in sizes.items() if value != usual[name]}
    return replace(
        base,
        backbone_args={**base.backbone_args, **unusual},
        text_encoder=text,
        hidden_size=text.hidden_size,
        feedforward_size=_shape(tensors, f"{layer}.linear1.weight")[0],
    )


def _swin(tensors: dict[str, Tensor]) -> dict:
    stages = [f"backbone.layers.{n}.blocks." for n in range(4)]
    tables = [_shape(tensors, f"{stage}0.attn.relative_position_bias_table") for stage in stages]
    return {
        "embed_dim": _shape(tensors, "backbone.patch_embed.proj.weight")[0],
        "depths": [_count(tensors, stage) for stage in stages],
        "num_heads": [heads for _, heads in tables],
        "window_size": (math.isqrt(tables[0][0]) + 1) // 2,  # a table has (2 * window - 1) ** 2 rows
    }


def _resnet(tensors: dict[str, Tensor]) -> dict:
    stages = ["backbone.layer1.4.", *(f"backbone.layer{n}." for n in (2, 3, 4))]
    return {
        "layers": [_count(tensors, stage) for stage in stages],
        "channels": [_shape(tensors, f"{stage}0.conv1.weight")[0] for stage in stages],
    }


def _text_encoder(tensors: dict[str, Tensor], base: TextEncoderConfig) -> TextEncoderConfig:
    words, width = _shape(tensors, "bert_model.embeddings.word_embeddings.weight")
    return replace(
        base,
        hidden_size=width,
        num_hidden_layers=_count(tensors, "bert_model.encoder.layer."),
        num_attention_heads=max(width // HEAD_WIDTH, 1),
        intermediate_size=_shape(tensors, "bert_model.encoder.layer.0.intermediate.dense.weight")[0],
        vocab_size=words,
        max_position_embeddings=_shape(tensors, "bert_model.embeddings.position_embeddings.weight")[0],
    )


def _shape(tensors: dict[str, Tensor], key: str) -> tuple[int, ...]:
    if key not in tensors:
        raise ModelError(f"missing tensors: {key}")
    return tuple(tensors[key].shape)


def _count(tensors: dict[str, Tensor], prefix: str) -> int:
    """How many modules are numbered after `prefix`."""
    numbers = (re.match(rf"{re.escape(prefix)}(\d+)\.", key) for key in tensors)
    return 1 + max((int(match[1]) for match in numbers if match), default=-1)
