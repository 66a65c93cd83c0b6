"""The network that a training begins with."""

from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from dmmi_core.checkpoint import load_model
from dmmi_core.config import PRESETS, DmmiConfig
from dmmi_core.model import Dmmi
from dmmi_core.model.text import load_tokenizer
from dmmi_core.pretrained import load_backbone, load_text_encoder, resolve
from dmmi_core.recipe import Recipe


def starting_point(recipe: Recipe) -> tuple[Dmmi, PreTrainedTokenizerBase]:
    """A preset with its pretrained encoders, or a model folder with all that it holds but its calibration."""
    if recipe.model not in PRESETS and Path(recipe.model).is_dir():
        model, tokenizer = load_model(Path(recipe.model))
        fresh = DmmiConfig()
        model.config = replace(
            model.config,
            image_size=recipe.image_size,
            presence_temperature=fresh.presence_temperature,
            presence_threshold=fresh.presence_threshold,
        )
        return model, tokenizer
    model = Dmmi(recipe.config())
    load_backbone(model, recipe.backbone_weights)
    load_text_encoder(model, recipe.text_weights)
    return model, load_tokenizer(resolve(recipe.text_weights))
