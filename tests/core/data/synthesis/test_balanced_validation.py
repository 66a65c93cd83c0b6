"""Samples of every category in about equal numbers, whose masks can be trusted."""

from collections import Counter
from dataclasses import replace

import pytest

from dmmi_core.data.samples import read_image
from dmmi_core.data.synthesis.balanced_validation import COUNTS, ZEROS, balanced_validation_samples
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from helpers.pictures import CATEGORIES
from helpers.reader import assert_true


@pytest.fixture(scope="module")
def scenes(pictures) -> list[Scene]:
    return read_scenes(pictures)


@pytest.fixture(scope="module")
def samples(scenes) -> list:
    return balanced_validation_samples(scenes)


def test_samples_are_true_of_their_image(samples, pictures):
    assert len(samples) > 40
    for sample in samples:
        assert_true(sample.text, read_image(pictures.parent / sample.image), sample.mask())


def test_every_category_in_every_kind(samples):
    plurals = {"people": "person"}
    about = Counter(
        (category, sample.kind)
        for sample in samples
        for category in CATEGORIES
        if category in sample.text or category in [plurals.get(word) for word in sample.text.split()]
    )
    for category in CATEGORIES:
        assert about[category, "zero"] == ZEROS
        assert all(0 < about[category, kind] <= count for kind, count in COUNTS.items())


def test_the_same_whatever_the_order(scenes, samples):
    assert balanced_validation_samples(scenes[::-1]) == samples
    assert [sample.image for sample in samples] == sorted(sample.image for sample in samples)
    assert balanced_validation_samples(scenes, seed=1) != samples


def test_only_what_has_a_mask_is_meant(scenes):
    without = [replace(s, objects=tuple(replace(o, polygons=None) for o in s.objects)) for s in scenes]
    assert balanced_validation_samples(without) == []


def test_half_of_what_is_missing_looks_like_what_is_there(scenes, samples):
    there = {scene.image: {item.category for item in scene.objects} for scene in scenes}
    missing_dogs = [s for s in samples if s.kind == "zero" and "dog" in s.text]
    assert sum("cat" in there[sample.image] for sample in missing_dogs) >= ZEROS // 2
    assert not any("dog" in there[sample.image] for sample in missing_dogs)
