"""Persons by what they have with them."""

import numpy as np
import pytest

from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.expressions.belongings import (
    BELONGINGS,
    HOLDABLE,
    by_belonging,
    false_belongings,
    holders,
)

MASK = np.ones((4, 4), bool)
COMPLETE = frozenset({"person", "frisbee", "tie"})


def seen(category: str, left: float, top: float, right: float, bottom: float) -> ViewedObject:
    area = (right - left) * (bottom - top)
    return ViewedObject(
        category, ((left + right) / 2, (top + bottom) / 2), area, MASK, (left, top, right, bottom)
    )


def person(left: float) -> ViewedObject:
    return seen("person", left, 0.2, left + 0.2, 0.9)


def frisbee(left: float) -> ViewedObject:
    return seen("frisbee", left, 0.4, left + 0.1, 0.5)


def said(make, *objects: ViewedObject, complete=COMPLETE) -> dict[str, tuple[int, ...]]:
    made = [
        e
        for seed in range(200)
        for e in make(View(objects, frozenset(complete)), np.random.default_rng(seed))
    ]
    found = {e.text: e.targets for e in made}
    assert all(found[e.text] == e.targets for e in made), "one text, one meaning"
    return found


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([frisbee(0.05)], (0,)),
        ([frisbee(0.05), frisbee(0.75)], (0, 1)),
        ([frisbee(0.45)], ()),
        ([], ()),
        ([frisbee(0.17)], None),
        ([frisbee(0.22)], None),
    ],
    ids=["one", "both", "far from both", "none", "half beside", "beside"],
)
def test_who_has_one(things, expected):
    of = View((person(0.0), person(0.7), *things), COMPLETE)
    assert holders(of, "frisbee") == expected


def test_what_is_near_to_two_persons_is_nobodys():
    of = View((person(0.0), person(0.1), frisbee(0.1)), COMPLETE)
    assert holders(of, "frisbee") is None


def test_what_is_not_listed_in_full_is_not_told():
    objects = (person(0.0), frisbee(0.05))
    assert holders(View(objects, frozenset({"person"})), "frisbee") is None
    assert holders(View(objects, frozenset({"frisbee"})), "frisbee") is None


def test_with_and_without():
    texts = said(by_belonging, person(0.0), person(0.7), frisbee(0.05))
    assert texts["the person with a frisbee"] == texts["the person holding the frisbee"] == (0,)
    assert texts["the person without a frisbee"] == texts["the person not holding a frisbee"] == (1,)
    assert not any("tie" in text for text in texts), "what tells nobody apart is left out"


def test_of_several():
    texts = said(by_belonging, person(0.0), person(0.3), person(0.7), frisbee(0.05), frisbee(0.35))
    assert texts["the people with frisbees"] == (0, 1) and texts["the person with no frisbee"] == (2,)
    texts = said(by_belonging, person(0.0), person(0.35), person(0.7), frisbee(0.05))
    assert texts["the people without a frisbee"] == (1, 2)


def test_nobody_has_what_is_missing():
    texts = said(by_belonging, person(0.0), person(0.7), complete={"person", "tie"})
    assert texts["the people not wearing a tie"] == (0, 1)
    texts = said(false_belongings, person(0.0), complete={"person", "tie"})
    assert set(texts.values()) == {()} and "the person wearing a tie" in texts
    texts = said(false_belongings, person(0.0), frisbee(0.05))
    assert "the person without a frisbee" in texts and "the person with a frisbee" not in texts


def test_empty_hands():
    complete = HOLDABLE | {"person"}
    texts = said(by_belonging, person(0.0), person(0.7), frisbee(0.05), complete=complete)
    assert texts["the person not holding anything"] == (1,)
    for nearby in (seen("cup", 0.75, 0.4, 0.8, 0.5), seen("dog", 0.6, 0.8, 0.69, 0.9)):
        texts = said(by_belonging, person(0.0), person(0.7), frisbee(0.05), nearby, complete=complete)
        assert "the person not holding anything" not in texts
    texts = said(by_belonging, person(0.0), person(0.7), frisbee(0.05), complete=complete - {"cup"})
    assert "the person not holding anything" not in texts


def test_all_belongings_can_be_held():
    assert BELONGINGS.keys() < HOLDABLE
