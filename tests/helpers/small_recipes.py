"""The recipes in training/ and the presets, with small members of their backbones' families.

Everything else is theirs: regions, skips, strides, losses, frozen parts.
"""

import json
from pathlib import Path
from typing import Any

from dmmi_core.config import DmmiConfig, preset
from dmmi_core.training.recipe import read_recipe
from helpers.miniature import SPLITS, write_miniature
from helpers.paths import ROOT
from helpers.tiny import FAMILIES, SWIN_ARGS, TEXT_ENCODER, write_backbone

TRAINING = ROOT / "training"
RECIPES = sorted(path.relative_to(TRAINING).as_posix() for path in TRAINING.rglob("*.yaml"))
BASES = [name for name in RECIPES if name.startswith("base/")]
"""Recipes without data, which others change."""


def small_preset(model: str) -> DmmiConfig:
    """Return a preset with a small network at 64 x 64 pixels."""
    values, small = preset(model).to_dict(), small_network(model)
    arguments = values["backbone_args"] | small.get("backbone_args", {})
    return DmmiConfig.from_dict({**values, **small, "backbone_args": arguments, "image_size": 64})


def small_network(model: str) -> dict[str, Any]:
    """Return the fields of `DmmiConfig` that make a preset's network small."""
    family = _family(model)
    small = {"backbone": FAMILIES[family]["backbone"], "text_encoder": vars(TEXT_ENCODER)}
    if family == "swin":
        small["backbone_args"] = SWIN_ARGS
    return small | {"hidden_size": 16, "decoder_heads": 2, "feedforward_size": 32}


def small_overrides(name: str) -> list[str]:
    """Return the overrides that make the network of a recipe small, and give it data if it has none."""
    data = ["data.images=.", "data.samples=none.jsonl", "output=none"] if name in BASES else []
    model = read_recipe(TRAINING / name, data).model
    network = {f"network.{key}": value for key, value in small_network(model).items()}
    return [*data, *_overrides(network | {"image_size": 64})]


def miniature_overrides(name: str, weights: Path, pictures: Path, folder: Path, *more: str) -> list[str]:
    """Return the overrides with which a recipe trains three steps of two samples on miniature data.

    `more` are further overrides that say which data those are, such as another base. `weights` and `pictures`
    are the fixtures of these names; `folder` is a new one, and `folder / "run"` the output.
    """
    recipe = read_recipe(TRAINING / name, more)
    backbone = folder / "backbone.pth"
    arguments = SWIN_ARGS if _family(recipe.model) == "swin" else {}
    write_backbone(backbone, FAMILIES[_family(recipe.model)]["backbone"], **arguments)
    settings = {
        "backbone_weights": str(backbone),
        "text_weights": str(weights / "text"),
        "guide_weights": str(ROOT / "models" / "dmmi-lite"),
        "vocabulary": "",
        "steps": 3,
        "epochs": None,
        "batch_size": 2,
        "device": "cpu",
        "workers": 0,
        "output": str(folder / "run"),
    }
    return [*small_overrides(name), *_overrides(settings | _data(recipe.data.refs, pictures, folder)), *more]


def _data(refs: str, pictures: Path, folder: Path) -> dict[str, Any]:
    """Return the settings that name a miniature of the dataset of a recipe's `data.refs`."""
    if not refs:
        return {"data.images": str(pictures.parent), "data.annotations": str(pictures)}
    dataset, split_by = next(
        (dataset, split_by)
        for dataset, split_by in SPLITS
        if Path(refs).parent.name == dataset and f"({split_by})" in refs
    )
    files = write_miniature(folder / "data", dataset, split_by)
    return {
        "data.images": str(files.images),
        "data.annotations": str(files.annotations),
        "data.refs": str(files.refs),
        "data.validation_share": 3,
    }


def _family(model: str) -> str:
    return next(family for family in FAMILIES if family in preset(model).backbone)


def _overrides(settings: dict[str, Any]) -> list[str]:
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]
