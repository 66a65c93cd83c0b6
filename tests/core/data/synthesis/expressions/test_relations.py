"""Places beside others. `test_dataset.py` checks what is said against pixels."""

import numpy as np
import pytest

from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.expressions.relations import by_neighbour, false_neighbours

MASK = np.ones((4, 4), bool)


def at(x: float, y: float, side: float = 0.1, category: str = "dog") -> ViewedObject:
    """A square object with its middle there."""
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return ViewedObject(category, (x, y), side**2, MASK, box)


def neighbours(*objects: ViewedObject, false: bool = False, missing: tuple = ()) -> dict:
    of = View(objects, frozenset({"dog", "cup"}))
    made = [
        e
        for seed in range(200)
        for rng in [np.random.default_rng(seed)]
        for e in (false_neighbours(of, "dog", list(missing), rng) if false else by_neighbour(of, "dog", rng))
    ]
    return {e.text: e.targets for e in made}


CUP = at(0.5, 0.5, category="cup")
RELATIONS = ("next to", "beside", "near", "by", "close to")
NEXT = {f"the dog {relation} the cup" for relation in RELATIONS}
NOT_NEXT = {
    f"the dog {clause}not {relation} the cup"
    for clause in ("", "that is ")
    for relation in ("next to", "near", "beside", "close to")
}
NEAREST = {f"the dog {relation} the cup" for relation in ("closest to", "nearest to", "nearest")}
FARTHEST = {
    f"the dog {relation} the cup" for relation in ("farthest from", "furthest from", "farthest away from")
}


def several(texts: set[str]) -> set[str]:
    return {text.replace("dog", "dogs").replace("that is", "that are") for text in texts}


@pytest.mark.parametrize(
    ("dogs", "expected"),
    [
        ([at(0.61, 0.5)], dict.fromkeys({*NEXT, "the dog to the right of the cup"}, (1,))),
        ([at(0.7, 0.5)], {"the dog to the right of the cup": (1,)}),
        ([at(0.55, 0.6)], dict.fromkeys(NEXT, (1,))),
        (
            [at(0.61, 0.5), at(0.9, 0.5)],
            dict.fromkeys(NEXT | NEAREST, (1,)) | dict.fromkeys(NOT_NEXT | FARTHEST, (2,)),
        ),
        (
            [at(0.61, 0.5), at(0.5, 0.62), at(0.9, 0.5)],
            dict.fromkeys(several(NEXT), (1, 2)) | dict.fromkeys(NOT_NEXT | FARTHEST, (3,)),
        ),
        (
            [at(0.61, 0.5), at(0.9, 0.5), at(0.95, 0.5)],
            dict.fromkeys(NEXT | NEAREST, (1,)) | dict.fromkeys(several(NOT_NEXT), (2, 3)),
        ),
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


@pytest.mark.parametrize(
    ("dogs", "targets"),
    [
        ([at(0.5, 0.5)], (2,)),
        ([at(0.5, 0.5), at(0.95, 0.5)], (2,)),
        ([at(0.5, 0.5), at(0.5, 0.9)], None),
        ([at(0.5, 0.8)], None),
        ([at(0.95, 0.5)], None),
        ([at(0.5, 0.5), at(0.4, 0.5)], None),
    ],
)
def test_between(dogs, targets):
    cups = at(0.8, 0.5, category="cup"), at(0.2, 0.5, category="cup")
    texts = neighbours(*cups, *dogs)
    wanted = {"the dog between the two cups", "the dog between the cups", "the dog in between the two cups"}
    assert texts == ({} if targets is None else dict.fromkeys(wanted, targets))


def test_false_neighbours():
    assert neighbours(CUP, at(0.8, 0.5), false=True) == {"the dog to the left of the cup": ()}
    assert neighbours(CUP, at(0.55, 0.5), false=True) == dict.fromkeys(NOT_NEXT, ())
    assert neighbours(CUP, at(0.62, 0.6), at(0.9, 0.5), false=True) == {"the dog to the left of the cup": ()}
    far = {"the dog next to the cup": (), "the dog beside the cup": ()}
    assert neighbours(CUP, at(0.5, 0.83), false=True) == {}, "far, but not far off"
    assert neighbours(at(0.1, 0.5, category="cup"), at(0.9, 0.5), false=True) == far | {
        "the dog to the left of the cup": ()
    }
    assert neighbours(at(0.8, 0.5), false=True, missing=("cup",)) == dict.fromkeys(NEXT, ())
