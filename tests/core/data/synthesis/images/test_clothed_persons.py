"""Photographs with annotated clothes, read from files, and what is said and denied of the persons."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from dmmi_core.data.samples import read_image
from dmmi_core.data.synthesis.affine_view import View, ViewedObject, view_scene
from dmmi_core.data.synthesis.expressions.attributes import by_garment, by_person_word
from dmmi_core.data.synthesis.images.augmentation import whole_view
from dmmi_core.data.synthesis.images.clothed_persons import read_clothing
from dmmi_core.data.synthesis.images.composition import AnnotatedImage
from dmmi_core.errors import InputError

LABELS = ["null", "hair", "skin", "coat", "dress", "jacket", "bag"]
RED, GREEN, GREY = (210, 30, 30), (40, 160, 50), (120, 120, 120)


def write(folder: Path, number: int, **colours: tuple) -> None:
    """An image of one person with hair, and each garment in its colour, one below the other."""
    (folder / "images").mkdir(exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "labels.json").write_text(json.dumps(LABELS))
    image, labels = np.full((100, 60, 3), GREY, np.uint8), np.zeros((100, 60), np.uint8)
    labels[5:20, 20:40] = LABELS.index("hair")
    for place, (garment, colour) in enumerate(colours.items()):
        rows = slice(20 + 30 * place, 50 + 30 * place)
        image[rows, 20:40], labels[rows, 20:40] = colour, LABELS.index(garment)
    cv2.imwrite(str(folder / "images" / f"{number:04}.jpg"), image[..., ::-1])
    cv2.imwrite(str(folder / "labels" / f"{number:04}.png"), labels)


def test_a_person_is_all_that_is_labelled(tmp_path):
    write(tmp_path, 7, coat=RED, bag=GREEN)
    (scene,) = read_clothing(tmp_path)
    assert (scene.width, scene.height, scene.complete) == (60, 100, {"person"})
    assert Path(scene.image) == tmp_path / "images" / "0007.jpg"
    (person,) = scene.objects
    assert person.box == (20, 5, 20, 75) and set(person.garments) == {"coat", "bag"}
    view = view_scene(scene, whole_view(scene, 100), 100)
    expected = np.zeros((100, 100), bool)
    expected[5:80, 34:66] = True
    assert (view.objects[0].mask ^ expected).mean() < 0.02
    assert view.objects[0].garments["coat"][35, 50] and not view.objects[0].garments["coat"][65, 50]


def test_without_labels_nobody_is_known(tmp_path):
    write(tmp_path, 1, coat=RED)
    cv2.imwrite(str(tmp_path / "labels" / "0001.png"), np.zeros((100, 60), np.uint8))
    (scene,) = read_clothing(tmp_path)
    assert scene.objects == () and scene.complete == frozenset()


@pytest.mark.parametrize("damage", ["no labels.json", "not a picture", "unknown label"])
def test_damaged_folders_are_reported(tmp_path, damage):
    write(tmp_path, 1, coat=RED)
    if damage == "no labels.json":
        (tmp_path / "labels.json").unlink()
    elif damage == "not a picture":
        (tmp_path / "labels" / "0001.png").write_bytes(b"no")
    else:
        cv2.imwrite(str(tmp_path / "labels" / "0001.png"), np.full((9, 9), 200, np.uint8))
    with pytest.raises(InputError, match=r"labels\.json|0001\.png"):
        read_clothing(tmp_path)


def persons(tmp_path: Path, *clothes: dict) -> AnnotatedImage:
    """The persons of several images side by side."""
    for number, colours in enumerate(clothes):
        write(tmp_path, number, **colours)
    size, images, objects = 120, [], []
    for number, scene in enumerate(read_clothing(tmp_path)):
        matrix = np.array([[1.0, 0, 60 * number], [0, 1.0, 0]])
        objects += view_scene(scene, matrix, size).objects
        images.append(read_image(scene.image))
    image = np.full((size, size, 3), GREY, np.uint8)
    image[:100, : 60 * len(images)] = np.hstack(images)
    return AnnotatedImage(image, View(tuple(objects), frozenset({"person"})))


def garments(image: AnnotatedImage) -> dict[str, tuple[int, ...]]:
    """Without the words in between: "coat" and "red coat"."""
    found = {}
    for seed in range(5):
        for named in by_garment(image, "person", np.random.default_rng(seed)):
            found[re.sub(r"^person (in|wearing|with|carrying)( an?| the)? ", "", named.noun)] = named.members
    return found


def test_garments_tell_persons_apart(tmp_path):
    found = garments(persons(tmp_path, {"coat": RED, "bag": GREEN}, {"dress": GREEN}))
    assert found["red coat"] == found["bag"] == found["green bag"] == (0,)
    assert found["green dress"] == (1,)
    assert found["purple dress"] == found["scarf"] == found["boots"] == found["red skirt"] == ()
    assert "coat" not in found, "some call the dress so"
    assert "shirt" not in found and "cardigan" not in found, "what is worn may be called so"


def test_colours_tell_the_same_garment_apart(tmp_path):
    found = garments(persons(tmp_path, {"coat": RED}, {"coat": GREEN}))
    assert found["red coat"] == (0,) and found["green coat"] == (1,) and found["coat"] == (0, 1)
    assert found["purple coat"] == ()
    assert "orange coat" not in found and "brown coat" not in found, "too near to red"


def test_of_persons_whose_clothes_are_not_known_nothing_is_said(tmp_path):
    image = persons(tmp_path, {"coat": RED})
    stranger = ViewedObject("person", (0.8, 0.5), 0.1, np.ones((120, 120), bool))
    both = View((*image.view.objects, stranger), image.view.complete)
    assert by_garment(AnnotatedImage(image.pixels, both), "person", np.random.default_rng(0)) == []


def called(*names: set[str]) -> dict[str, tuple[int, ...]]:
    objects = tuple(ViewedObject("person", (0.5, 0.5), 0.1, None, names=frozenset(n)) for n in names)
    image = AnnotatedImage(np.zeros((4, 4, 3), np.uint8), View(objects, frozenset({"person"})))
    return {named.noun: named.members for named in by_person_word(image, "person")}


def test_words_for_persons():
    assert called({"man", "guy"}) == {"man": (0,), "guy": (0,), "woman": (), "girl": (), "lady": ()}
    assert called({"skier"}) == {"skier": (0,)}
    assert called({"skier"}, set()) == {}, "the other may be a skier too"
    assert called({"man"}, {"woman"}).items() >= {"man": (0,), "woman": (1,)}.items()
    assert called({"man"}, {"boy"}) == {"woman": (), "girl": (), "lady": ()}, "a boy may be called a man"
