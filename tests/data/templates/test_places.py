"""Places finer than left and right. `test_dataset.py` checks what is said against pictures."""

import numpy as np
import pytest

from dmmi_core.data.scenes import View, ViewedObject
from dmmi_core.data.templates.places import CENTRE, FAR, by_place
from dmmi_core.data.templates.relations import by_neighbour, false_neighbours

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
        ([at(0.9, 0.5), at(0.1, 0.5), at(0.3, 0.5)], "the two leftmost dogs", (1, 2)),
        ([at(0.1, 0.5), at(0.3, 0.5), at(0.4, 0.5)], "the two leftmost dogs", None),
        ([at(0.9, 0.5), at(0.1, 0.5), at(0.3, 0.5)], "all the dogs except the one on the left", (2, 0)),
        ([at(0.5, 0.3), at(0.5, 0.31 + FAR)], "the bottom dog", (1,)),
        ([at(0.5, 0.3), at(0.5, 0.29 + FAR)], "the bottom dog", None),
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


def neighbours(*objects: ViewedObject, false: bool = False, missing: tuple = ()) -> dict:
    of = View(objects, frozenset({"dog", "cup"}))
    made = [
        e
        for seed in range(60)
        for rng in [np.random.default_rng(seed)]
        for e in (false_neighbours(of, "dog", list(missing), rng) if false else by_neighbour(of, "dog", rng))
    ]
    return {e.text: e.targets for e in made}


CUP = at(0.5, 0.5, category="cup")
NEXT = {f"the dog {relation} the cup" for relation in ("next to", "beside", "near", "by", "close to")}


@pytest.mark.parametrize(
    ("dogs", "expected"),
    [
        ([at(0.61, 0.5)], dict.fromkeys({*NEXT, "the dog to the right of the cup"}, (1,))),
        ([at(0.7, 0.5)], {"the dog to the right of the cup": (1,)}),
        ([at(0.55, 0.6)], dict.fromkeys(NEXT, (1,))),
        ([at(0.61, 0.5), at(0.9, 0.5)], dict.fromkeys(NEXT, (1,))),
        ([at(0.62, 0.5), at(0.7, 0.5)], {}),
        (
            [at(0.2, 0.5), at(0.8, 0.5)],
            {"the dog to the left of the cup": (1,), "the dog to the right of the cup": (2,)},
        ),
    ],
)
def test_neighbours(dogs, expected):
    assert neighbours(CUP, *dogs) == expected


def test_of_two_landmarks_none_is_meant():
    assert neighbours(CUP, at(0.1, 0.1, category="cup"), at(0.61, 0.5)) == {}


def test_false_neighbours():
    assert neighbours(CUP, at(0.8, 0.5), false=True) == {"the dog to the left of the cup": ()}
    assert neighbours(CUP, at(0.55, 0.5), false=True) == {}
    assert neighbours(at(0.8, 0.5), false=True, missing=("cup",)) == dict.fromkeys(NEXT, ())
