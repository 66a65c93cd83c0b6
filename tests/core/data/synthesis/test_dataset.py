"""Training samples: true of their picture, whatever the augmentation, and reproducible."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.dataset import SceneDataset, target_of
from dmmi_core.data.synthesis.expressions.basic import Expression
from dmmi_core.data.synthesis.images import sampling as album
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from dmmi_core.data.target import UNKNOWN
from dmmi_core.errors import InputError
from helpers.pictures import CATEGORIES
from helpers.reader import assert_true

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
        image, target, text, _ = samples[index]
        assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
        assert target.labels.shape == (SIZE, SIZE) and target.labels.dtype == np.uint8
        assert_true(text, image, target.labels > 0)  # what has no mask fills its box in the drawn pictures


def test_every_kind_category_and_form_occurs(scenes, pictures):
    samples = make(scenes, pictures)
    drawn = [samples[index][1:3] for index in range(300)]
    counts = [min(len(target.boxes), 2) for target, _ in drawn]
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
    pixels = (a[0], b[0]), (a[1].labels, b[1].labels), (a[1].boxes, b[1].boxes)
    return a[2:] == b[2:] and all(np.array_equal(x, y) for x, y in pixels)


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


def test_images_that_cannot_serve_are_reported(scenes, pictures):
    with pytest.raises(InputError, match="photograph"):
        samples = make([without_objects(scene) for scene in scenes], pictures)
        for index in range(10):
            samples[index]


def test_without_masks_boxes_are_learned_from(scenes, pictures, monkeypatch):
    monkeypatch.setattr(album, "LAYOUTS", {"single": 1.0})
    samples = make([without_masks(scene) for scene in scenes], pictures)
    found = 0
    for index in range(60):
        image, target, text, _ = samples[index]
        assert set(np.unique(target.labels)) <= {0, UNKNOWN} and not target.has_mask.any()
        assert (target.labels == UNKNOWN).any() == bool(len(target.boxes))
        assert_true(text, image, target.labels == UNKNOWN)
        found += len(target.boxes)
    assert found > 30


def mostly_of_persons(scenes) -> list[Scene]:
    """So that each with a person in it is there seven times."""
    persons = [scene for scene in scenes if any(item.category == "person" for item in scene.objects)]
    return [*scenes, *6 * persons]


def test_persons_leave_room_for_the_other_categories(scenes, pictures):
    samples = make(mostly_of_persons(scenes), pictures)
    texts = [samples[index][2] for index in range(300)]
    assert sum("person" in text or "people" in text for text in texts) < 0.6 * len(texts)
    assert all(sum(category in text for text in texts) > 25 for category in ("dog", "cat", "cup"))


def seen(x: float, category: str = "dog", mask: bool = True) -> ViewedObject:
    """A fifth of the picture wide, as a box; its mask covers the upper half."""
    drawn = np.zeros((10, 10), bool)
    drawn[4:5, round(10 * x) - 1 : round(10 * x) + 1] = True
    return ViewedObject(category, (x, 0.5), 0.04, drawn if mask else None, (x - 0.1, 0.4, x + 0.1, 0.6))


def test_the_target_of_what_has_no_mask():
    """Other objects of the category are none of it, as far as they have masks; others may be."""
    of = View((seen(0.5, mask=False), seen(0.6), seen(0.4, "cup"), seen(0.9)), frozenset({"dog", "cup"}))
    target = target_of(of, Expression("the left dog", (0,)), 10)
    expected = np.zeros((10, 10), int)
    expected[4:6, 4:6] = UNKNOWN
    expected[4, 5] = 0
    assert np.array_equal(target.labels, expected)
    target = target_of(of, Expression("the dogs", (0, 1, 3)), 10)
    expected[4, 5:7], expected[4, 8:10] = 2, 3
    assert np.array_equal(target.labels, expected)
    assert target.has_mask.tolist() == [False, True, True]
    assert target.boxes == pytest.approx(np.array([of.objects[i].box for i in (0, 1, 3)], np.float32))
