"""Training samples: true of their picture, whatever the augmentation, and reproducible."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import CATEGORIES, separate
from reader import assert_true

from dmmi_core.data.scenes import Scene, read_scenes
from dmmi_core.data.templates import album
from dmmi_core.data.templates.scene_dataset import SceneDataset
from dmmi_core.errors import InputError

SIZE = 160


@pytest.fixture(scope="module")
def scenes(pictures) -> list[Scene]:
    return read_scenes(pictures)


def make(scenes, pictures, seed: int = 0) -> SceneDataset:
    return SceneDataset(scenes, pictures.parent, SIZE, seed)


@pytest.mark.parametrize("seed", range(5))
def test_every_sample_is_true_of_its_picture(scenes, pictures, seed, monkeypatch):
    """Read from the pixels: what is there, how many, where, how big, of which colour, beside what.

    After crop, flip and jitter, but without pasted objects: those hide others, and join with their like.
    """
    monkeypatch.setattr(album, "LAYOUTS", {"single": 1.0})
    samples = make(scenes, pictures, seed)
    for index in range(100):
        image, mask, text, _ = samples[index]
        assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
        assert mask.shape == (SIZE, SIZE) and mask.dtype == bool
        assert_true(text, image, mask)


def test_every_kind_category_and_form_occurs(scenes, pictures):
    samples = make(scenes, pictures)
    drawn = [samples[index][1:3] for index in range(300)]
    counts = [min(len(separate(mask)), 2) for mask, _ in drawn]
    assert all(counts.count(count) > 50 for count in (0, 1, 2))
    wanted = {
        *CATEGORIES,
        "dogs",
        "people",
        "all",
        "every",
        "two",
        "left",
        "rightmost",
        "biggest",
        "smallest",
        "and",
    }
    assert wanted <= {word for _, text in drawn for word in text.split()}


def same(a, b) -> bool:
    return a[2:] == b[2:] and all(np.array_equal(x, y) for x, y in zip(a[:2], b[:2], strict=True))


def test_an_item_depends_on_the_seed_and_its_number_alone(scenes, pictures):
    samples = make(scenes, pictures)
    first = samples[7]
    np.random.seed(3)
    torch.manual_seed(3)
    for index in (8, 0, 7, 100000):
        samples[index]
    assert same(samples[7], first)
    assert same(make(scenes, pictures)[7], first)
    assert not same(samples[8], first)
    other = make(scenes, pictures, seed=1)
    assert not any(same(other[index], first) for index in (6, 7, 8))


def without_objects(scene: Scene) -> Scene:
    return replace(scene, objects=())


def without_masks(scene: Scene) -> Scene:
    return replace(scene, objects=tuple(replace(item, polygons=None) for item in scene.objects))


@pytest.mark.parametrize("change", [without_objects, without_masks])
def test_photographs_that_cannot_serve_are_reported(scenes, pictures, change):
    with pytest.raises(InputError, match="photograph"):
        samples = make([change(scene) for scene in scenes], pictures)
        for index in range(10):
            samples[index]
