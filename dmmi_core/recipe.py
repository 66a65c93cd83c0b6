"""Training recipes: typed YAML, checked before anything starts."""

from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import get_type_hints

import yaml

from dmmi_core.errors import InputError, one_line


@dataclass(frozen=True)
class DataRecipe:
    """Samples come from `samples`, or from `refs` with their `annotations`, or from `annotations` alone: then
    templates make expressions of their objects."""

    images: str
    """Folder of the photographs."""
    annotations: str = ""
    """COCO-style instances file."""
    refs: str = ""
    """refs(...).p of RefCOCO, RefCOCO+, RefCOCOg or Ref-ZOM."""
    samples: str = ""
    """Samples file, JSON lines."""
    split: str = "train"
    """Split of `refs` to train on."""
    validation_split: str = ""
    """Split of `refs` to validate on; without one, `validation_share` of the photographs is kept apart."""
    validation_share: int = 10
    """One photograph in so many is kept apart, chosen by its file name."""

    def __post_init__(self):
        _require_positive(self, "validation_share")
        if not (self.samples or self.annotations):
            raise InputError("recipe: data needs annotations, refs with annotations, or samples")
        if self.refs and (self.samples or not self.annotations):
            raise InputError("recipe: data.refs goes with data.annotations and without data.samples")


@dataclass(frozen=True)
class LossRecipe:
    """Weights of the losses; the paper's total is the plain sum of its three."""

    segmentation: float = 1.0
    similarity: float = 1.0
    contrast: float = 1.0
    dice: float = 0.0
    presence: float = 1.0


@dataclass(frozen=True)
class Recipe:
    model: str
    """Name of the preset to train, or a model folder to go on from, which has both weights below already."""
    data: DataRecipe
    output: str
    """Folder for the log, the resumable state and the model."""
    backbone_weights: str
    text_weights: str
    """Each a path, "package:NAME/FILE" inside an installed package, or a name on the Hugging Face hub; the
    text folder has the tokenizer."""
    image_size: int = 448
    freeze: tuple[str, ...] = ()
    """Prefixes of the parameters that keep their values."""
    losses: LossRecipe = field(default_factory=LossRecipe)
    background_weight: float = 1.0
    """How much a background pixel counts in the segmentation loss, where a target's pixel counts 1."""
    steps: int = 10000
    batch_size: int = 16
    learning_rate: float = 5e-5
    backbone_learning_rate: float = 5e-5
    """Of the image encoder."""
    weight_decay: float = 0.01
    warmup_steps: int = 0
    precision: str = "fp32"
    """fp32, or bf16 for automatic mixed precision."""
    device: str = "auto"
    workers: int = 1
    """Processes that load samples."""
    log_every: int = 20
    checkpoint_every: int = 200
    seed: int = 0

    def __post_init__(self):
        _require_positive(self, "image_size", "steps", "batch_size", "log_every", "checkpoint_every")


def _require_positive(recipe, *names: str) -> None:
    for name in names:
        if getattr(recipe, name) < 1:
            raise InputError(f"recipe: {name} is {getattr(recipe, name)}; it must be at least 1")


def read_recipe(path: str | Path, overrides: list[str] = ()) -> Recipe:
    """Reads a YAML recipe; `overrides` are key=value, with dots into sections. Raises InputError."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"recipe {path} is not YAML: {one_line(error)}") from error
    if not isinstance(values, dict):
        raise InputError(f"recipe {path} is not a mapping of keys to values")
    for override in overrides:
        _override(values, override)
    return _build(Recipe, values, "")


def _override(values: dict, override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise InputError(f"{override!r} is not key=value")
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InputError(f"{override!r}: {section} is not a section")
    try:
        values[name] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{override!r} is not YAML: {one_line(error)}") from error


def _build(cls, values: dict, prefix: str):
    hints, known = get_type_hints(cls), {f.name for f in fields(cls)}
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known: {', '.join(sorted(known))}"
            raise InputError(f"recipe: unknown key {prefix}{key}{hint}")
    try:
        return cls(**{key: _typed(hints[key], value, f"{prefix}{key}") for key, value in values.items()})
    except TypeError as error:
        raise InputError(f"recipe: {str(error).partition('__init__() ')[2] or error}") from error


def _typed(kind, value, key: str):
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise InputError(f"recipe: {key} is a section with keys of its own, not {value!r}")
        return _build(kind, value, f"{key}.")
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 reads 5e-5 as text
        except ValueError:
            pass
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(kind, type) and isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise InputError(f"recipe: {key} is {value!r}; it must be {getattr(kind, '__name__', kind)}")
