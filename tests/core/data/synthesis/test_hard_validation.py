from collections import Counter

import pytest

from dmmi_core.data.samples import read_image
from dmmi_core.data.synthesis.hard_validation import hard_validation_samples
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from helpers.reader import assert_true


@pytest.fixture(scope="module")
def scenes(pictures) -> list[Scene]:
    return read_scenes(pictures)


def test_samples_are_true_of_their_image(scenes, pictures):
    samples = hard_validation_samples(scenes, pictures.parent)
    kinds = Counter(sample.kind for sample in samples)
    assert all(kinds[kind] > 10 for kind in ("zero", "one", "many")), kinds
    for sample in samples:
        assert_true(sample.text, read_image(pictures.parent / sample.image), sample.mask())
        assert (sample.kind == "zero") == (not sample.mask().any())


def test_most_one_to_zero_texts_nearly_fit(scenes, pictures):
    """They ask for something that is there, in another colour or place."""
    there = {scene.image: {item.category for item in scene.objects} for scene in scenes}
    samples = [s for s in hard_validation_samples(scenes, pictures.parent) if s.kind == "zero"]
    named = [any(category in s.text for category in there[s.image]) for s in samples]
    assert sum(named) > 0.3 * len(named)


def test_they_are_fixed(scenes, pictures):
    samples = hard_validation_samples(scenes, pictures.parent)
    assert hard_validation_samples(scenes, pictures.parent) == samples
    assert hard_validation_samples(scenes, pictures.parent, seed=1) != samples
