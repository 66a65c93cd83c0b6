"""Places finer than left and right. `test_dataset.py` checks what is said against pixels."""

import numpy as np
import pytest

from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.expressions.position import CENTRE, FAR, by_place, missing_places

MASK = np.ones((4, 4), bool)


def at(x: float, y: float, side: float = 0.1, category: str = "dog") -> ViewedObject:
    """A square object with its middle there."""
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return ViewedObject(category, (x, y), side**2, MASK, box)


def said(*objects: ViewedObject, noun: str = "dog") -> dict[str, tuple[int, ...]]:
    of = View(objects, frozenset({"dog", "cup"}))
    members = [i for i, item in enumerate(objects) if item.category == objects[0].category]
    made = [e for seed in range(40) for e in by_place(of, noun, members, np.random.default_rng(seed))]
    found = {e.text: e.targets for e in made}
    assert all(found[e.text] == e.targets for e in made), "one text, one meaning"
    return found


@pytest.mark.parametrize(
    ("objects", "text", "targets"),
    [
        ([at(0.5, 0.5)], "the dog in the middle", (0,)),
        ([at(0.5 + 1.1 * CENTRE, 0.5)], "the dog in the middle", None),
        ([at(0.5, 0.2)], "the dog at the top", (0,)),
        ([at(0.5, 0.4)], "the dog at the top", None),
        ([at(0.2, 0.8)], "bottom left dog", (0,)),
        ([at(0.1, 0.5), at(0.3, 0.5), at(0.9, 0.5)], "the second dog from the left", (1,)),
        ([at(0.1, 0.5), at(0.3, 0.5), at(0.9, 0.5)], "second dog from right", (1,)),
        ([at(0.1, 0.5), at(0.15, 0.5), at(0.9, 0.5)], "the second dog from the left", None),
        ([at(0.1, 0.5), at(0.3, 0.5), at(0.5, 0.5), at(0.7, 0.5)], "dog third from the right", (1,)),
        ([at(0.1, 0.5), at(0.3, 0.5), at(0.9, 0.5)], "the 2nd dog from the left", (1,)),
        ([at(x / 10, 0.5) for x in (1, 3, 5, 7, 9)], "the fourth dog from the right", (1,)),
        ([at(0.9, 0.5), at(0.1, 0.5), at(0.3, 0.5)], "the two leftmost dogs", (1, 2)),
        ([at(0.1, 0.5), at(0.3, 0.5), at(0.4, 0.5)], "the two leftmost dogs", None),
        ([at(0.9, 0.5), at(0.1, 0.5), at(0.3, 0.5)], "all the dogs except the one on the left", (2, 0)),
        ([at(0.5, 0.3), at(0.5, 0.31 + FAR)], "the bottom dog", (1,)),
        ([at(0.5, 0.3), at(0.5, 0.29 + FAR)], "the bottom dog", None),
        ([at(0.5, 0.3), at(0.5, 0.31 + FAR)], "the dog on top", (0,)),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.7, 0.2)], "the smaller dog", (1,)),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.7, 0.2)], "the larger of the two dogs", (0,)),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.7, 0.35)], "the smaller dog", None),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.7, 0.2), at(0.9, 0.7)], "the smaller dog", None),
        ([at(0.6, 0.5), at(0.3, 0.5)], "the left one of the two dogs", (1,)),
        ([at(0.6, 0.5), at(0.55, 0.5)], "the left one of the two dogs", None),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.4, 0.2)], "the closest dog", (0,)),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.4, 0.2)], "the farthest dog", (1,)),
        ([at(0.3, 0.7, 0.4), at(0.6, 0.7, 0.4)], "the closest dog", None),
        ([at(0.3, 0.7, 0.2), at(0.6, 0.4, 0.2)], "the closest dog", None),
        ([at(0.3, 0.7, 0.4, "cup"), at(0.6, 0.4, 0.2, "cup")], "the closest dog", None),
        ([at(0.2, 0.2), at(0.8, 0.8)], "the dog in the top left", (0,)),
        ([at(0.2, 0.2), at(0.4, 0.4)], "the dog in the top left", None),
    ],
)
def test_what_is_said_of_places(objects, text, targets):
    assert said(*objects).get(text) == targets


def test_only_what_is_seen_is_meant():
    hidden = ViewedObject("dog", (0.5, 0.5), 0.001, None, (0.4, 0.4, 0.6, 0.6))
    assert said(hidden) == {}


@pytest.mark.parametrize(
    ("feet", "heights", "text", "targets"),
    [
        ((0.9, 0.9), (0.4, 0.6), "the taller person", (1,)),
        ((0.9, 0.9), (0.4, 0.6), "the shortest person", (0,)),
        ((0.9, 0.9, 0.9), (0.4, 0.6, 0.4), "the tallest person", (1,)),
        ((0.9, 0.9, 0.9), (0.4, 0.6, 0.4), "the taller person", None),
        ((0.9, 0.9), (0.5, 0.6), "the tallest person", None),
        ((0.9, 0.7), (0.6, 0.4), "the tallest person", None),
        ((1.0, 1.0), (0.4, 0.6), "the tallest person", None),
    ],
)
def test_how_tall_persons_are(feet, heights, text, targets):
    boxes = [
        (0.3 * i, low - high, 0.3 * i + 0.2, low)
        for i, (low, high) in enumerate(zip(feet, heights, strict=True))
    ]
    persons = [
        ViewedObject("person", ((a + c) / 2, (b + d) / 2), (c - a) * (d - b), MASK, (a, b, c, d))
        for a, b, c, d in boxes
    ]
    assert said(*persons, noun="person").get(text) == targets


@pytest.mark.parametrize(("count", "least"), [(1, 2), (2, 3), (3, 4), (4, None)])
def test_places_that_are_not_there(count, least):
    made = [e for seed in range(60) for e in missing_places("dog", count, np.random.default_rng(seed))]
    places = {"second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
    assert all(e.kind == "zero" for e in made)
    assert min((places[e.text.split()[1]] for e in made), default=None) == least
