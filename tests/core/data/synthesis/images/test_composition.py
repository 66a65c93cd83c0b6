"""Composed images: their masks against their pixels."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.captions import read_phrase
from dmmi_core.data.synthesis.images.composition import (
    AnnotatedImage,
    contradicts,
    cutouts,
    paste,
    random_crop,
    side_by_side,
)
from dmmi_core.data.synthesis.images.sampling import ImageSampler
from dmmi_core.data.synthesis.scenes import Scene, SceneObject, read_scenes
from helpers.pictures import CATEGORIES, COLOURS, look

SIZE = 120


def rectangle(category: str, x: int, y: int, width: int, height: int) -> SceneObject:
    polygon = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
    return SceneObject(category, (x, y, width, height), (polygon,))


def drawn(folder: Path, name: str, *objects: SceneObject, complete=("cup", "dog"), captions=()) -> Scene:
    """A grey random_crop of 200 x 100 pixels with the objects in their colours."""
    image = np.full((100, 200, 3), 110, np.uint8)
    for item in objects:
        x, y, width, height = item.box
        image[y : y + height, x : x + width] = COLOURS[item.category]
    cv2.imwrite(str(folder / name), image[..., ::-1])
    phrases = tuple(read_phrase(caption) for caption in captions)
    return Scene(name, 200, 100, objects, frozenset(complete), phrases=phrases)


def assert_masks_are_pixels(image: AnnotatedImage) -> None:
    """The masks of a category that is there cover its pixels and nothing else, but for edges."""
    seen = look(image.pixels)
    for category in CATEGORIES:
        masks = [image.view.objects[i].mask for i in image.view.members(category)]
        if not masks:
            continue
        pixels = np.any([item.mask for item in seen[category]], axis=0)
        union = np.any(masks, axis=0)
        edge = cv2.morphologyEx(union.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((7, 7))) > 0
        assert not ((pixels ^ union) & ~edge)[4:-4, 4:-4].any(), category


@pytest.mark.parametrize("seed", range(20))
def test_each_half_shows_its_image(tmp_path, seed):
    rng = np.random.default_rng(seed)
    dog = drawn(tmp_path, "dog.png", rectangle("dog", 70, 30, 60, 40))
    cup = drawn(tmp_path, "cup.png", rectangle("cup", 70, 30, 60, 40), complete=("cup",))
    image = side_by_side(dog, cup, tmp_path, SIZE, rng)
    assert_masks_are_pixels(image)
    assert "dog" not in image.view.complete, "the second random_crop may hold another"
    boxes = {item.category: item.box for item in image.view.objects}
    if len(boxes) == 2:
        assert boxes["dog"][2] <= boxes["cup"][0] or boxes["dog"][3] <= boxes["cup"][1]


@pytest.mark.parametrize("seed", range(20))
def test_a_pasted_object_hides_what_is_behind_it(tmp_path, seed):
    rng = np.random.default_rng(seed)
    base = drawn(tmp_path, "dog.png", rectangle("dog", 40, 20, 120, 60))
    source = drawn(tmp_path, "cup.png", rectangle("cup", 80, 30, 40, 40))
    before = random_crop(base, tmp_path, SIZE, rng)
    after = paste(before, source, source.objects[0], tmp_path, rng)
    assert_masks_are_pixels(after)
    dog, cup = after.view.objects
    assert cup.category == "cup" and cup.area == pytest.approx(cup.mask.mean()) and cup.area > 0.01
    assert not (dog.mask & cup.mask).any()
    rows, columns = np.nonzero(dog.mask)
    assert dog.box == pytest.approx(
        np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIZE, abs=1.5 / SIZE
    )
    assert after.view.complete == before.view.complete
    outside = cv2.dilate(cup.mask.astype(np.uint8), np.ones((15, 15))) == 0
    assert np.array_equal(after.pixels[outside], before.pixels[outside])


def test_what_is_hidden_too_far_is_neither_there_nor_gone(tmp_path):
    small = drawn(tmp_path, "dog.png", rectangle("dog", 95, 45, 10, 10))
    big = drawn(tmp_path, "cup.png", rectangle("cup", 50, 10, 100, 80))
    outcomes = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        image = random_crop(small, tmp_path, SIZE, rng)
        if not image.view.objects:
            continue
        after = paste(image, big, big.objects[0], tmp_path, rng).view
        share = after.objects[0].mask.sum() / image.view.objects[0].mask.sum()
        assert ("dog" in after.complete) == (share >= 0.4)
        outcomes.add("dog" in after.complete)
    assert outcomes == {True, False}


def test_a_caption_holds_beside_what_contradicts_it_and_nowhere_else(tmp_path):
    first = drawn(
        tmp_path,
        "a.png",
        rectangle("dog", 60, 20, 80, 60),
        rectangle("cup", 20, 40, 20, 20),
        captions=["A dog sitting next to a cup"],
    )
    rng = np.random.default_rng(0)
    lacking = drawn(tmp_path, "b.png", rectangle("dog", 60, 20, 80, 60))
    unknown = drawn(tmp_path, "c.png", rectangle("dog", 60, 20, 80, 60), complete=("dog",))
    held = [len(side_by_side(lacking, first, tmp_path, SIZE, rng).view.phrases) for _ in range(20)]
    assert max(held) == 1
    for _ in range(20):
        view = side_by_side(lacking, first, tmp_path, SIZE, rng).view
        for _, targets in view.phrases:
            assert targets == view.members("dog")[-1:]
        assert side_by_side(unknown, first, tmp_path, SIZE, rng).view.phrases == ()


def test_a_pasted_object_ends_captions_of_its_kind(tmp_path):
    base = drawn(tmp_path, "a.png", rectangle("dog", 60, 20, 80, 60), captions=["A dog sitting on a bench"])
    cup = drawn(tmp_path, "b.png", rectangle("cup", 80, 40, 20, 20))
    rng = np.random.default_rng(0)
    image = random_crop(base, tmp_path, SIZE, rng)
    assert [targets for _, targets in image.view.phrases] == [(0,)]
    assert paste(image, base, base.objects[0], tmp_path, rng).view.phrases == ()
    assert len(paste(image, cup, cup.objects[0], tmp_path, rng).view.phrases) == 1


def test_contradicts():
    phrase = read_phrase("A man holding a surfboard")
    board = ViewedObject("surfboard", (0.5, 0.5), 0.1, None)
    assert contradicts(View((), frozenset({"surfboard"})), phrase)
    assert not contradicts(View((), frozenset()), phrase)
    assert not contradicts(View((board,), frozenset({"surfboard"})), phrase)


@pytest.mark.parametrize(
    ("item", "usable"),
    [
        (rectangle("dog", 50, 20, 60, 50), True),
        (rectangle("dog", 0, 20, 60, 50), False),
        (rectangle("dog", 50, 20, 60, 80), False),
        (rectangle("dog", 50, 20, 100, 8), False),
        (rectangle("dog", 50, 20, 13, 13), False),
        (SceneObject("dog", (50, 20, 60, 50)), False),
        (replace(rectangle("dog", 50, 20, 60, 50), quality=0.89), False),
        (replace(rectangle("dog", 50, 20, 60, 50), quality=0.9), True),
    ],
    ids=[
        "whole",
        "at the edge",
        "at the bottom",
        "sliver",
        "small",
        "without mask",
        "rough mask",
        "good mask",
    ],
)
def test_cutouts(item, usable):
    assert bool(cutouts([Scene("", 200, 100, (item,), frozenset())])) == usable


@pytest.mark.parametrize("kind", ["zero", "one", "many"])
def test_the_sampler_keeps_to_what_is_asked(pictures, kind):
    """An image that is to lack a category lacks it for certain, in the pixels as well."""
    sampler = ImageSampler(read_scenes(pictures), pictures.parent, SIZE)
    rng, numbers = np.random.default_rng(0), []
    for index in range(60):
        category = CATEGORIES[index % 4]
        image = sampler.sample(category, kind, rng)
        if image is None or category not in image.view.complete:
            continue
        numbers.append(len(image.view.members(category)))
        if kind == "zero":
            assert image.view.lacks(category)
            assert not [item for item in look(image.pixels)[category] if item.area > 12]
    assert len(numbers) > 30
    if kind != "zero":
        assert np.mean([number > (kind == "many") for number in numbers]) > 0.6


def test_the_sampler_reads_no_other_images(pictures, monkeypatch):
    """What is kept apart for validation is not even pasted from."""
    from dmmi_core.data.synthesis.images import composition as module

    scenes = read_scenes(pictures)[::2]
    opened = set()
    read = module.read_annotated_image
    monkeypatch.setattr(
        module, "read_annotated_image", lambda path, *size: opened.add(path.name) or read(path, *size)
    )
    sampler, rng = ImageSampler(scenes, pictures.parent, SIZE), np.random.default_rng(0)
    for index in range(150):
        sampler.sample(CATEGORIES[index % 4], ("zero", "one", "many")[index % 3], rng)
    assert opened <= {scene.image for scene in scenes} and len(opened) > 10
