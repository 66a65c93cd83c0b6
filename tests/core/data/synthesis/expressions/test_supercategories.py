"""Several categories by one word, one category by its bare noun, and persons by a pronoun."""

import numpy as np
import pytest

from dmmi_core.data.lexicon.names import SUPERCATEGORIES
from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.expressions.bare import bare_noun
from dmmi_core.data.synthesis.expressions.indefinite_persons import absent_persons, by_pronoun
from dmmi_core.data.synthesis.expressions.supercategories import (
    HINTS,
    UNLESS,
    absent_supercategories,
    by_supercategory,
    members_of,
    supercategories_of,
)

MASK = np.ones((4, 4), bool)
EVERYTHING = frozenset().union(*SUPERCATEGORIES.values(), *UNLESS.values(), *HINTS.values())
STREET = EVERYTHING | {
    *("person", "traffic light", "stop sign", "parking meter", "skateboard", "skis", "snowboard"),
    *("surfboard", "horse"),
}


def seen(category: str, x: float = 0.5, width: float = 0.1, height: float = 0.3) -> ViewedObject:
    box = (x - width / 2, 0.5 - height / 2, x + width / 2, 0.5 + height / 2)
    return ViewedObject(category, (x, 0.5), width * height, MASK, box)


def view(*categories: str, complete=EVERYTHING) -> View:
    return View(tuple(seen(category) for category in categories), frozenset(complete))


def said(make, *arguments) -> dict[str, tuple[int, ...]]:
    made = [e for seed in range(150) for e in make(*arguments, np.random.default_rng(seed))]
    found = {e.text: e.targets for e in made}
    assert all(found[e.text] == e.targets for e in made), "one text, one meaning"
    return found


def test_all_of_a_kind():
    texts = said(by_supercategory, view("dog", "cup", "cat"), "cat")
    assert texts["any animals"] == texts["animal"] == (0, 2)
    texts = said(by_supercategory, view("pizza", "banana"), "banana")
    assert texts["something to eat"] == (0, 1) and texts["the fruit"] == (1,)
    assert said(by_supercategory, view("chair", "couch"), "chair")["anything to sit on"] == (0, 1)


@pytest.mark.parametrize(
    ("of", "kind"),
    [
        (view("dog", "teddy bear"), "animal"),
        (view("chair", "bed"), "seat"),
        (view("pizza", "bowl"), "food"),
        (view("dog", complete=EVERYTHING - {"giraffe"}), "animal"),
        (view("dog", complete=EVERYTHING - {"teddy bear"}), "animal"),
    ],
)
def test_what_may_be_of_the_kind_as_well(of, kind):
    assert members_of(of, kind) is None
    category = of.objects[0].category
    assert said(by_supercategory, of, category) == {} == said(absent_supercategories, of, category)


def test_nothing_of_a_kind():
    texts = said(absent_supercategories, view("pizza"), "dog")
    assert {"any animals", "animal", "the two animals"} <= set(texts) and set(texts.values()) == {()}
    assert "something to eat" in said(absent_supercategories, view("dog"), "pizza")
    assert said(absent_supercategories, view("dining table"), "pizza") == {}, "there may be other food on it"
    assert said(absent_supercategories, view("cat"), "dog") == {}


def test_kinds_of_a_category():
    assert supercategories_of("banana") == ["fruit", "food"] and supercategories_of("person") == []
    assert SUPERCATEGORIES.keys() == {
        kind for category in EVERYTHING for kind in supercategories_of(category)
    }


@pytest.mark.parametrize("count", [1, 3])
def test_a_noun_alone_means_all(count):
    every = tuple(range(count))
    assert said(bare_noun, view(*["cat"] * count), "cat") == {"cat": every, "cats": every}
    assert set(said(bare_noun, view(*["couch"] * count), "couch")) == {"couch", "couches", "sofa", "sofas"}


def test_no_vague_noun_alone():
    assert set(said(bare_noun, view("dining table"), "dining table")) == {"dining table", "dining tables"}
    assert said(bare_noun, view("cat", complete=()), "cat") == {}
    assert said(bare_noun, view("dog"), "cat") == {}


def persons(*places: float, complete=frozenset({"person"}), others=()) -> dict[str, tuple[int, ...]]:
    return said(by_pronoun, View((*[seen("person", x) for x in places], *others), complete))


def test_whoever_is_there():
    assert persons(0.5)["someone"] == (0,) and persons(0.2)["somebody on the left"] == (0,)
    several = persons(0.1, 0.2, 0.9)
    assert several["everyone"] == several["humans"] == several["anybody"] == (0, 1, 2)
    assert several["everyone on the left"] == (0, 1) and "somebody on the left" not in several
    assert persons(0.5, complete=frozenset()) == {}


def test_who_walks_in_a_street():
    car = seen("car", 0.1)
    assert persons(0.5, 0.8, complete=STREET, others=(car,))["the pedestrians"] == (0, 1)
    for others in ((), (car, seen("bicycle", 0.8))):
        assert "the pedestrians" not in persons(0.5, 0.8, complete=STREET, others=others)
    wide = seen("person", 0.8, 0.2)
    assert "the pedestrians" not in persons(0.5, complete=STREET, others=(car, wide))
    assert "the pedestrians" not in persons(0.5, complete=STREET - {"horse"}, others=(car,))


def test_nobody():
    texts = said(absent_persons)
    assert {"everyone", "anybody", "any pedestrians"} <= set(texts) and set(texts.values()) == {()}
