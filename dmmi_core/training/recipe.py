"""Training recipes: typed YAML, checked before anything starts."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from dmmi_core.config import PRESETS, DmmiConfig, preset
from dmmi_core.data.recipe import DataRecipe, require_positive
from dmmi_core.engines import PRECISIONS
from dmmi_core.errors import InputError, one_line
from dmmi_core.training.schema import build

BATCH_NORMS = ("train", "frozen")
SELECT_BY = ("oIoU", "mIoU", "Acc", "gIoU", "cIoU")


@dataclass(frozen=True)
class LossRecipe:
    """Weights of the losses; the paper's total is the plain sum of its three."""

    segmentation: float = 1.0
    similarity: float = 1.0
    contrast: float = 1.0
    dice: float = 0.0
    projection: float = 0.0
    """Of targets that have a box only."""
    presence: float = 1.0
    centres: float = 0.1
    offsets: float = 1.0
    """Of the instance head, where the network has one."""


@dataclass(frozen=True)
class Recipe:
    model: str
    """Name of the preset to train, or a model folder to go on from, which has both weights below already."""
    data: DataRecipe
    output: str
    """Folder for the log, the resumable state and the models."""
    backbone_weights: str
    text_weights: str
    """Each a path, "package:NAME/FILE" inside an installed package, or a name on the Hugging Face hub; the
    text folder has the tokenizer."""
    guide_weights: str = ""
    """For a network with a guide: the folder of the published detector, with weights.safetensors and
    graph.param, or a model folder that has it."""
    vocabulary: str = ""
    """List of the word pieces to keep, one a line, of those of the text encoder; without one, all."""
    network: dict = field(default_factory=dict)
    """Fields of DmmiConfig that differ from the preset."""
    image_size: int = 448
    freeze: tuple[str, ...] = ()
    """Prefixes of the parameters that keep their values."""
    batch_norm: str = "train"
    """"train": statistics of the batch, over all processes on GPUs; "frozen": those of the start."""
    losses: LossRecipe = field(default_factory=LossRecipe)
    background_weight: float = 1.0
    """How much a background pixel counts in the segmentation loss, where a target's pixel counts 1."""
    gather_negatives: bool = True
    """The contrastive loss has the batches of all processes for negatives, not only its own."""
    steps: int | None = None
    epochs: int | None = None
    """Length of the training; one of the two. Templates have no epochs."""
    batch_size: int = 16
    """Samples of one optimizer step, over all processes."""
    accumulate: int = 1
    """Forward passes that a process splits its part of the batch into."""
    learning_rate: float = 5e-5
    backbone_learning_rate: float = 5e-5
    learning_rates: dict[str, float] = field(default_factory=dict)
    """Rates of parameters by how their names begin, such as visual.stages.3; the longest that fits counts."""
    weight_decay: float = 0.01
    warmup_steps: int = 0
    clip_norm: float | None = None
    """Largest norm of the gradient; larger ones are scaled down to it."""
    ema_decay: float | None = None
    """Decay of the exponential moving average of the weights, which is then what is evaluated and saved."""
    precision: str = "fp32"
    """fp32, or bf16 or fp16 for automatic mixed precision; fp16 only on a GPU."""
    device: str = "auto"
    """auto, cpu or cuda."""
    workers: int = 1
    """Processes that load samples, for each training process."""
    log_every: int = 20
    checkpoint_every: int = 200
    validate_every: int | None = None
    """Steps between evaluations on the validation split, after each of which the best model is kept."""
    select_by: str = "oIoU"
    """Which metric says what is best."""
    seed: int = 0

    def __post_init__(self):
        require_positive(self, "image_size", "batch_size", "accumulate", "log_every", "checkpoint_every")
        require_positive(
            self, *(n for n in ("steps", "epochs", "validate_every") if getattr(self, n) is not None)
        )
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
        """The preset with what `network` changes. Raises InputError or ModelError."""
        values = _merged(preset(self.model).to_dict(), self.network)
        return replace(build(DmmiConfig, values, "network."), image_size=self.image_size)


def read_recipe(path: str | Path, overrides: list[str] = ()) -> Recipe:
    """Reads a YAML recipe; `overrides` are key=value, with dots into sections. Raises InputError.

    Its key `base` names a recipe, relative to this one, whose values it changes.
    """
    path = Path(path)
    values = _read_yaml(path)
    for override in overrides:
        _override(values, override)
    return build(Recipe, _with_base(values, path, above=()))


def _read_yaml(path: Path) -> dict:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"recipe {path} is not YAML: {one_line(error)}") from error
    if not isinstance(values, dict):
        raise InputError(f"recipe {path} is not a mapping of keys to values")
    return values


def _with_base(values: dict, path: Path, above: tuple[Path, ...]) -> dict:
    """`values`, read from `path`, over those of their base; `above` are the recipes that it is a base of."""
    if "base" not in values:
        return values
    base, above = values["base"], (*above, path.resolve())
    if not isinstance(base, str):
        raise InputError(f"recipe {path}: base is {base!r}; it must be the path of another recipe")
    below = path.parent / base
    if below.resolve() in above:
        raise InputError(f"recipe {path}: base {base} leads back to where it came from")
    changes = {key: value for key, value in values.items() if key != "base"}
    return _merged(_with_base(_read_yaml(below), below, above), changes)


def _merged(values: dict, changes: dict) -> dict:
    """`values` with `changes`, section by section."""
    merged = dict(values)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


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
