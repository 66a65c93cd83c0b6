"""The network that a training starts from."""

from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from dmmi_core.checkpoints.pretrained import load_backbone, load_guide, load_text_encoder, resolve
from dmmi_core.checkpoints.saved_network import load_model
from dmmi_core.checkpoints.vocabulary import read_vocabulary, trim_vocabulary
from dmmi_core.config import PRESETS
from dmmi_core.model import Dmmi
from dmmi_core.model.category_names import name_categories
from dmmi_core.model.shapes import new_network
from dmmi_core.tokenizer import load_tokenizer
from dmmi_core.training.recipe import Recipe


def initial_model(recipe: Recipe) -> tuple[Dmmi, PreTrainedTokenizerBase]:
    """Return a preset with its pretrained parts, or a model folder's network without its calibration.

    Raises ModelError if weights are missing or do not fit, and InputError for a bad recipe.
    """
    if recipe.model not in PRESETS and Path(recipe.model).is_dir():
        model, tokenizer = load_model(Path(recipe.model))
        model.config = replace(model.config.uncalibrated(), image_size=recipe.image_size)
        return model, tokenizer
    model, tokenizer = _with_text_encoder(recipe)
    load_backbone(model, recipe.backbone_weights)
    if model.guide is not None:
        load_guide(model, recipe.guide_weights)
        name_categories(model, tokenizer)
    return model, tokenizer


def _with_text_encoder(recipe: Recipe) -> tuple[Dmmi, PreTrainedTokenizerBase]:
    """Return a new network with the pretrained text encoder, trimmed to the recipe's vocabulary."""
    config, tokenizer = recipe.config(), load_tokenizer(resolve(recipe.text_weights))
    if recipe.vocabulary:
        config = replace(config, text_encoder=replace(config.text_encoder, vocab_size=len(tokenizer)))
    model = new_network(config)
    load_text_encoder(model, recipe.text_weights)
    if recipe.vocabulary:
        tokenizer = trim_vocabulary(model, tokenizer, read_vocabulary(resolve(recipe.vocabulary)))
    return model, tokenizer
