"""Texts that are true of nothing. `test_dataset.py` checks them against pixels."""

import re

import numpy as np
import pytest

from dmmi_core.data.lexicon.names import SUPERCATEGORIES
from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.captions import read_phrase
from dmmi_core.data.synthesis.expressions.negative import CLEARLY, negative_expression
from dmmi_core.data.synthesis.images.composition import AnnotatedImage

SIZE = 40
ORDINAL = re.compile(r"second|third|fourth|2nd|3rd|4th")
PHRASES = [read_phrase("A dog sitting next to a cup"), read_phrase("A dog in a park")]


def annotated_image(
    *objects: ViewedObject, complete: tuple = ("bear", "cup", "dog", "teddy bear", "dining table")
) -> AnnotatedImage:
    return AnnotatedImage(np.full((SIZE, SIZE, 3), 120, np.uint8), View(objects, frozenset(complete)))


def at(x: float, y: float, category: str = "dog", side: float = 0.2) -> ViewedObject:
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return ViewedObject(category, (x, y), side**2, None, box)


def denied(of: AnnotatedImage, category: str, phrases=()) -> set[str]:
    """All that is said of `category` in some of the draws."""
    made = [negative_expression(of, category, phrases, np.random.default_rng(seed)) for seed in range(800)]
    assert all(e.kind == "zero" for e in made if e)
    return {e.text for e in made if e}


def test_what_is_missing_is_asked_for_by_all_its_names():
    texts = denied(annotated_image(complete=("couch",)), "couch")
    assert {"the couch", "the sofa", "two sofas"} <= texts


def test_a_vague_name_never_says_that_something_is_missing():
    texts = denied(annotated_image(), "dining table")
    assert texts and not any(re.search(r"(?<!dining )tables?", text) for text in texts)


def test_nothing_is_denied_that_may_be_there():
    assert denied(annotated_image(complete=("cup",)), "dog", PHRASES) == set()
    assert denied(annotated_image(at(0.5, 0.5, "teddy bear")), "bear") == set()


def test_a_caption_of_another_image_needs_something_that_is_missing():
    without_cup = denied(annotated_image(at(0.5, 0.5)), "dog", PHRASES)
    assert any("a dog sitting next to a cup" in text for text in without_cup)
    assert not any("a dog in a park" in text for text in without_cup)
    with_cup = denied(annotated_image(at(0.5, 0.5), at(0.5, 0.5, "cup")), "dog", PHRASES)
    assert not any("sitting" in text for text in with_cup)


@pytest.mark.parametrize(
    ("x", "y", "sides"),
    [
        (CLEARLY + 0.02, 0.5, {"left"}),
        (0.98 - CLEARLY, 0.5, {"right"}),
        (0.5, CLEARLY + 0.02, {"top"}),
        (0.5, 0.98 - CLEARLY, {"bottom"}),
        (CLEARLY - 0.02, 0.5, set()),
        (0.8, 0.8, {"left", "top"}),
    ],
)
def test_sides_on_which_it_is_not(x, y, sides):
    texts = {
        text
        for text in denied(annotated_image(at(x, y), complete=("dog",)), "dog")
        if not ORDINAL.search(text)
    }
    assert {side for side in ("left", "right", "top", "bottom") for text in texts if side in text} == sides


def test_of_several_none_is_on_the_wrong_side():
    texts = denied(annotated_image(at(0.8, 0.5), at(0.9, 0.5), complete=("dog",)), "dog")
    assert all(ORDINAL.search(text) for text in texts), "the leftmost of them may be meant"


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, {"second", "2nd", "third", "3rd"}), (3, {"fourth", "4th"}), (4, set())],
)
def test_more_in_a_row_than_there_are(count, words):
    texts = denied(annotated_image(*[at(0.3 + 0.1 * i, 0.5) for i in range(count)], complete=("dog",)), "dog")
    said = {found.group() for text in texts if (found := ORDINAL.search(text))}
    assert said == words


def test_there_is_never_a_wrong_number():
    texts = denied(annotated_image(at(0.5, 0.5), at(0.5, 0.5), complete=("dog",)), "dog")
    assert not any(word in text.split() for text in texts for word in ("one", "two", "three", "dogs"))


def test_kinds_and_persons_that_are_missing():
    everything = tuple(
        {category for parts in SUPERCATEGORIES.values() for category in parts} | {"teddy bear", "person"}
    )
    texts = denied(annotated_image(complete=everything), "dog")
    assert any("any animals" in text for text in texts)
    texts = denied(annotated_image(at(0.5, 0.5, "cat"), complete=everything), "dog")
    assert texts and not any("animal" in text for text in texts)
    texts = denied(annotated_image(complete=everything), "person")
    assert any("everyone" in text for text in texts) and any("pedestrians" in text for text in texts)


def test_nobody_has_what_is_not_there():
    of = annotated_image(at(0.5, 0.5, "person"), complete=("person", "umbrella"))
    texts = denied(of, "person")
    assert any("umbrella" in text for text in texts) and not any("without" in text for text in texts)
    texts = denied(annotated_image(at(0.5, 0.5, "person"), complete=("person",)), "person")
    assert not any("umbrella" in text for text in texts)


def test_colours_that_it_does_not_have():
    mask = np.zeros((SIZE, SIZE), bool)
    mask[10:30, 10:30] = True
    of = annotated_image(
        ViewedObject("dog", (0.5, 0.5), 0.25, mask, (0.25, 0.25, 0.75, 0.75)), complete=("dog",)
    )
    of.pixels[mask] = (210, 30, 30)
    texts = denied(of, "dog")
    assert any("blue dog" in text for text in texts) and any("white dog" in text for text in texts)
    assert not any(colour in text for text in texts for colour in ("red", "pink", "orange", "brown"))
