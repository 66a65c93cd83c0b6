"""Fixtures of the tests of bags."""

from dataclasses import replace

import pytest


@pytest.fixture
def red_finder(tokenizer, monkeypatch):
    """Replace every model by one that finds red for PRESENT and nothing for ABSENT."""
    from dmmi_core.segmenter import Segmenter
    from helpers.tiny import RedFinder

    monkeypatch.setattr(
        Segmenter,
        "from_pretrained",
        lambda model, **options: Segmenter.of_network(RedFinder(), tokenizer, device="cpu"),
    )


@pytest.fixture(scope="session")
def loose_model(tmp_path_factory, tokenizer):
    """A tiny model that finds something in every image, so that its scores are above 0."""
    from dmmi_core.checkpoints.saved_network import save_model
    from helpers.tiny import CONFIG, make_model

    folder = tmp_path_factory.mktemp("models") / "loose"
    save_model(make_model(replace(CONFIG, presence=False)), tokenizer, folder)
    return folder
