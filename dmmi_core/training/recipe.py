"""Training recipes: typed YAML, validated before a training starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dmmi_core.config import PRESETS, DmmiConfig, preset
from dmmi_core.data.data_recipe import DataRecipe, require_positive
from dmmi_core.engines.registry import PRECISIONS
from dmmi_core.errors import InputError, one_line
from dmmi_core.files import read_text
from dmmi_core.schema import MisfitError, build, shown
from dmmi_core.shipped_files import shared

BATCH_NORMS = ("train", "frozen")
RANGES: dict[str, tuple[float, float]] = {
    "image_size": (32, 2048),
    "batch_size": (1, 65_536),
    "accumulate": (1, 65_536),
    "workers": (0, 256),
    "warmup_steps": (0, 10**9),
    "seed": (0, 2**32 - 1),
    "background_weight": (0.0, 1e6),
    "learning_rate": (0.0, 1e6),
    "backbone_learning_rate": (0.0, 1e6),
    "weight_decay": (0.0, 1e6),
    "clip_norm": (1e-12, 1e12),
    "ema_decay": (0.0, 1.0),
}
"""Least and highest value of each field; more would fill the memory, or start thousands of processes."""
SHIPPED = "dmmi-lite, table2/ref-zom-swin-base and table3/row-7"
SELECT_BY = ("oIoU", "mIoU", "Acc", "gIoU", "cIoU")


@dataclass(frozen=True)
class LossRecipe:
    """Weights of the losses; the paper's total is the plain sum of L_ce, L_sim and L_con."""

    segmentation: float = 1.0
    """L_ce."""
    similarity: float = 1.0
    """L_sim (eq. 8)."""
    contrast: float = 1.0
    """L_con (eq. 9-11)."""
    dice: float = 0.0
    """Dice loss of the mask."""
    projection: float = 0.0
    """Projection loss of targets that have a box and no mask."""
    presence: float = 1.0
    """Cross-entropy of the presence head, if the network has one."""
    centres: float = 0.1
    """Focal loss of the instance head's centres, if the network has one."""
    offsets: float = 1.0
    """L1 loss of the instance head's offsets, if the network has one."""


@dataclass(frozen=True)
class Recipe:
    """All settings of a training.

    Raises InputError for values that are out of range or contradict each other.
    """

    model: str
    """Name of the preset to train, or a model folder to continue from, whose weights replace those below."""
    data: DataRecipe
    output: str
    """Folder for the log, the resumable state and the models."""
    backbone_weights: str
    """Weights of the image encoder: a path, "package:NAME/FILE" for a file of an installed package, or a name
    on the Hugging Face hub."""
    text_weights: str
    """Weights and tokenizer of the text encoder: a folder, located like `backbone_weights`."""
    guide_weights: str = ""
    """Weights of the guide: a folder of the published detector, with weights.safetensors and graph.param, or
    a model folder that has a guide. Required for a network with a guide."""
    vocabulary: str = ""
    """File that lists the word pieces of the text encoder to keep, one a line; by default all are kept."""
    network: dict = field(default_factory=dict)
    """Fields of DmmiConfig that differ from the preset."""
    image_size: int = 448
    """Side of the square that images are resized to, in pixels; a multiple of 32."""
    freeze: tuple[str, ...] = ()
    """Name prefixes of the parameters that are not trained."""
    batch_norm: str = "train"
    """Statistics of batch norms: "train" for those of the batch, over all processes on GPUs; "frozen" for the
    initial running statistics."""
    losses: LossRecipe = field(default_factory=LossRecipe)
    """Weights of the losses."""
    background_weight: float = 1.0
    """Weight of a background pixel in the segmentation loss; an object pixel has the weight 1."""
    gather_negatives: bool = True
    """Whether the contrastive loss takes negatives from the batches of all processes, not only its own."""
    steps: int | None = None
    """Optimizer steps of the training; give either this or `epochs`."""
    epochs: int | None = None
    """Epochs of the training; templates have none."""
    batch_size: int = 16
    """Samples of one optimizer step, over all processes."""
    accumulate: int = 1
    """Forward passes into which each process splits its part of a batch."""
    learning_rate: float = 5e-5
    """Peak learning rate."""
    backbone_learning_rate: float = 5e-5
    """Peak learning rate of the image encoder."""
    learning_rates: dict[str, float] = field(default_factory=dict)
    """Peak learning rates by name prefix, such as visual.stages.3; the longest prefix that fits counts."""
    weight_decay: float = 0.01
    """Weight decay of AdamW, for all parameters but norms and biases."""
    warmup_steps: int = 0
    """Steps of linear warm-up."""
    clip_norm: float | None = None
    """Norm to which larger gradients are clipped."""
    ema_decay: float | None = None
    """Decay of an exponential moving average of the weights, which is then evaluated and saved."""
    precision: str = "fp32"
    """fp32, or bf16 or fp16 for automatic mixed precision; fp16 only on a GPU."""
    device: str = "auto"
    """auto, cpu or cuda."""
    workers: int = 1
    """Processes that load samples, for each training process."""
    log_every: int = 20
    """Steps between log entries."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""
    validate_every: int | None = None
    """Steps between evaluations on the validation split; the best model is kept."""
    select_by: str = "oIoU"
    """Metric that selects the best model."""
    seed: int = 0
    """Seed of all random draws."""

    def __post_init__(self):
        require_positive(self, "image_size", "batch_size", "accumulate", "log_every", "checkpoint_every")
        require_positive(
            self, *(n for n in ("steps", "epochs", "validate_every") if getattr(self, n) is not None)
        )
        for name, (least, most) in RANGES.items():
            _require_range(name, getattr(self, name), least, most)
        for section in ("losses", "learning_rates"):
            of_section = getattr(self, section)
            for name, value in (of_section if isinstance(of_section, dict) else vars(of_section)).items():
                _require_range(f"{section}.{name}", value, 0.0, 1e6)
        if (self.steps is None) == (self.epochs is None):
            raise InputError("recipe: give either steps or epochs")
        if self.epochs is not None and self.data.from_templates:
            raise InputError("recipe: templates make endless samples; give steps instead of epochs")
        for name, known in (("precision", PRECISIONS), ("batch_norm", BATCH_NORMS), ("select_by", SELECT_BY)):
            if getattr(self, name) not in known:
                raise InputError(
                    f"recipe: {name} is {getattr(self, name)!r}; it must be {' or '.join(known)}"
                )
        if self.network and self.model not in PRESETS:
            raise InputError("recipe: network changes a preset; a model folder is as it is")

    def config(self) -> DmmiConfig:
        """Return the preset with the changes of `network`. Raises InputError or ModelError."""
        values = _merged(preset(self.model).to_dict(), self.network)
        return replace(_built(DmmiConfig, values, "network."), image_size=self.image_size)


def _require_range(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise InputError(f"recipe: {name} is {value}; it must be from {least} to {most}")


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a YAML recipe.

    Args:
        path: the recipe, or the name of a shipped one, such as "dmmi-lite" or "table3/row-7". Its key `base`
            is the path of another recipe, relative to this one, whose values it changes.
        overrides: further changes, key=value, with dots into sections.

    Raises:
        InputError: a recipe cannot be read, or a key or value is wrong.
    """
    path = _found(Path(path))
    values = _read_yaml(path)
    for override in overrides:
        _override(values, override)
    return _built(Recipe, _with_base(values, path, above=()))


def _found(path: Path) -> Path:
    """Return the path itself, or that of the shipped recipe of this name if there is no such file."""
    if path.exists() or path.suffix or path.is_absolute():
        return path
    return shared("training", f"{path}.yaml") or path


def _built(cls, values: dict[str, Any], prefix: str = ""):
    try:
        return build(cls, values, prefix)
    except MisfitError as error:
        raise InputError(f"recipe: {error}") from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = _parsed(read_text(path))
    except OSError as error:
        names = "" if path.suffix else f"; shipped recipes have names such as {SHIPPED}"
        raise InputError(f"cannot read recipe {path}: {error.strerror}{names}") from error
    except ValueError as error:
        raise InputError(f"recipe {path} is not YAML: {one_line(error)}") from error
    if not isinstance(values, dict):
        raise InputError(f"recipe {path} is not a mapping of keys to values")
    return values


class _Loader(yaml.SafeLoader):
    """Reads dates as text: recipes have none, but folders are named after them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _parsed(text: str) -> Any:
    """Parse YAML. Raises ValueError."""
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ArithmeticError, LookupError, RecursionError, TypeError) as error:
        raise ValueError(one_line(error)) from error


def _with_base(values: dict[str, Any], path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Return `values`, read from `path`, merged into those of their base.

    `above` are the recipes that `path` is a base of, to find circles.
    """
    if "base" not in values:
        return values
    base, above = values["base"], (*above, path.resolve())
    if not isinstance(base, str) or "\0" in base:
        raise InputError(f"recipe {path}: base is {shown(base)}; it must be the path of another recipe")
    below = path.parent / base
    if below.resolve() in above:
        raise InputError(f"recipe {path}: base {base} leads back to where it came from")
    changes = {key: value for key, value in values.items() if key != "base"}
    return _merged(_with_base(_read_yaml(below), below, above), changes)


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with `changes` applied section by section."""
    merged = dict(values)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _override(values: dict[str, Any], override: str) -> None:
    """Apply an override, key=value, to `values` in place."""
    key, equals, text = override.partition("=")
    if not equals:
        raise InputError(f"{shown(override)} is not key=value")
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InputError(f"{shown(override)}: {section} is not a section")
    try:
        values[name] = _parsed(text)
    except ValueError as error:
        raise InputError(f"{shown(override)} is not YAML: {one_line(error)}") from error
