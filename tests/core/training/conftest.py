"""A recipe for a tiny network on drawn images."""

from dataclasses import replace

import pytest
from accelerate.state import AcceleratorState

from dmmi_core.config import PRESETS
from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.training.recipe import Recipe
from helpers.tiny import CONFIG


@pytest.fixture(autouse=True)
def accelerate_afresh():
    """Reset Accelerate, which keeps the precision of a process's first training."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def recipe(pictures, weights, tmp_path, monkeypatch) -> Recipe:
    monkeypatch.setitem(PRESETS, "tiny", replace(CONFIG, decoder_dropout=0.1))
    return Recipe(
        model="tiny",
        data=DataRecipe(str(pictures.parent), str(pictures), validation_share=4),
        output=str(tmp_path / "out"),
        backbone_weights=str(weights / "backbone.pth"),
        text_weights=str(weights / "text"),
        image_size=64,
        steps=4,
        batch_size=2,
        learning_rate=1e-3,
        backbone_learning_rate=1e-3,
        device="cpu",
        workers=0,
        clip_norm=1.0,
        log_every=2,
        checkpoint_every=2,
    )
