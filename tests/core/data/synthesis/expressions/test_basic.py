"""Expressions that are true of a view. `test_dataset.py` compares expressions with pixels."""

import re
from dataclasses import replace

import numpy as np
import pytest

from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.expressions.basic import (
    MARGIN,
    MIN_AREA,
    RATIO,
    Expression,
    absent_expression,
    categories_in,
    pair_expression,
    referring_expressions,
)

MASK = np.ones((4, 4), bool)


def seen(x: float, area: float = 0.1, category: str = "cup", mask: np.ndarray | None = MASK) -> ViewedObject:
    return ViewedObject(category, (x, 0.5), area, mask)


def view(*objects: ViewedObject, complete: tuple[str, ...] = ("cup", "dog")) -> View:
    return View(objects, frozenset(complete))


def expressions(of: View, category: str = "cup", seeds: int = 60) -> dict[str, set[tuple[int, ...]]]:
    """Every text that is made in some of the draws, without what only introduces it, and its targets."""
    found: dict[str, set[tuple[int, ...]]] = {}
    for seed in range(seeds):
        for item in referring_expressions(of, category, np.random.default_rng(seed)):
            text = re.sub(r"^(find|show me|point at|segment|look at|select) ", "", item.text)
            found.setdefault(text, set()).add(tuple(sorted(item.targets)))
    assert all(len(targets) == 1 for targets in found.values()), "one text, one meaning"
    return {text: next(iter(targets)) for text, targets in found.items()}


LEFT = {"the cup on the left", "the leftmost cup", "cup on the left side", "left cup"}
RIGHT = {text.replace("left", "right") for text in LEFT}
MIDDLE = {"the cup in the middle", "the middle cup"}
BIG, SMALL = {"the biggest cup", "the largest cup"}, {"the smallest cup"}
SINGLE = {"the cup", "cup", "a cup"}


def every(count: str | None = None) -> set[str]:
    texts = {"the cups", "cups", "all cups", "all the cups", "every cup"}
    return texts | ({f"the {count} cups", f"{count} cups"} if count else set())


def many(side: str, count: str) -> set[str]:
    return {
        f"the cups on the {side}",
        f"all cups on the {side}",
        f"cups on the {side} side",
        f"the {count} cups on the {side}",
    }


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([seen(0.5)], [(SINGLE, (0,))]),
        ([seen(0.2)], [(SINGLE, (0,)), (LEFT, (0,))]),
        ([seen(0.8)], [(SINGLE, (0,)), (RIGHT, (0,))]),
        ([seen(0.5 - MARGIN / 4)], [(SINGLE, (0,))]),
        ([seen(0.8), seen(0.2)], [(every("two"), (0, 1)), (LEFT, (1,)), (RIGHT, (0,))]),
        ([seen(0.2), seen(0.2 + MARGIN / 2)], [(every("two"), (0, 1))]),
        ([seen(0.7), seen(0.9)], [(every("two"), (0, 1)), (RIGHT, (1,))]),
        (
            [seen(0.9), seen(0.1), seen(0.45)],
            [
                (every("three"), (0, 1, 2)),
                (LEFT, (1,)),
                (RIGHT, (0,)),
                (MIDDLE, (2,)),
                (many("left", "two"), (1, 2)),
            ],
        ),
        (
            [seen(0.9), seen(0.1), seen(0.5)],
            [(every("three"), (0, 1, 2)), (LEFT, (1,)), (RIGHT, (0,)), (MIDDLE, (2,))],
        ),
        (
            [seen(0.1), seen(0.12), seen(0.88), seen(0.9)],
            [(every("four"), (0, 1, 2, 3)), (many("left", "two"), (0, 1)), (many("right", "two"), (2, 3))],
        ),
        ([seen(0.5)] * 6, [(every("six"), tuple(range(6)))]),
        ([seen(0.5)] * 7, [(every(), tuple(range(7)))]),
        (
            [seen(0.5, 0.1), seen(0.5, 0.1 * RATIO * 1.01)],
            [(every("two"), (0, 1)), (BIG, (1,)), (SMALL, (0,))],
        ),
        ([seen(0.5, 0.1), seen(0.5, 0.1 * RATIO * 0.99)], [(every("two"), (0, 1))]),
        (
            [seen(0.5, 0.1), seen(0.5, 0.12), seen(0.5, 0.5)],
            [(every("three"), (0, 1, 2)), (BIG, (2,))],
        ),
    ],
)  # fmt: skip
def test_what_is_said(objects, expected):
    assert expressions(view(*objects)) == {text: group for texts, group in expected for text in texts}


def test_other_categories_do_not_count():
    assert set(expressions(view(seen(0.5), seen(0.1, category="dog")))) == SINGLE


@pytest.mark.parametrize(
    "of",
    [
        view(seen(0.2), complete=("dog",)),
        view(seen(0.2), seen(0.9), complete=()),
        view(seen(0.2, category="dog")),
        view(seen(0.2, area=MIN_AREA / 2)),
        replace(view(seen(0.2, mask=None)), masks_only=True),
    ],
    ids=["not labelled", "none labelled", "not there", "too small", "no mask"],
)
def test_nothing_is_said(of):
    assert expressions(of) == {}


def test_what_has_no_mask_is_meant_as_well_but_where_masks_are_the_measure():
    of = view(seen(0.1), seen(0.9, mask=None))
    every_one = dict.fromkeys(every("two"), (0, 1))
    assert expressions(of) == every_one | dict.fromkeys(LEFT, (0,)) | dict.fromkeys(RIGHT, (1,))
    assert expressions(replace(of, masks_only=True)) == dict.fromkeys(LEFT, (0,))


def test_an_unlabelled_category_has_no_members():
    assert categories_in(view(seen(0.1), seen(0.2, category="dog"), complete=("dog",))) == {"dog": [1]}


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (view(seen(0.1), seen(0.2, category="dog"), seen(0.3)), "the cups and the dog"),
        (view(seen(0.1), seen(0.2, category="dog"), complete=("dog",)), None),
        (view(seen(0.1), seen(0.2, category="dog"), complete=("cup",)), None),
        (view(seen(0.1)), None),
        (replace(view(seen(0.1), seen(0.2, category="dog", mask=None)), masks_only=True), None),
    ],
)
def test_pairs(of, text):
    pairs = [pair_expression(of, "cup", "dog", np.random.default_rng(seed)) for seed in range(20)]
    if text is None:
        assert pairs == [None] * 20
    else:
        assert all(pair.text.endswith(text) and set(pair.targets) == {0, 1, 2} for pair in pairs)
        assert len({pair.text for pair in pairs}) > 1, "now and then as a command"


def test_absent_ones_are_named_in_all_forms():
    made = [absent_expression("cup", np.random.default_rng(seed)) for seed in range(400)]
    assert all(item.kind == "zero" and re.search(r"\bcups?\b", item.text) for item in made)
    wanted = {*SINGLE, *every("two"), *LEFT, *RIGHT, *BIG, *SMALL}
    assert wanted <= {item.text for item in made}


@pytest.mark.parametrize(("count", "kind"), [(0, "zero"), (1, "one"), (2, "many"), (5, "many")])
def test_kind(count, kind):
    assert Expression("", tuple(range(count))).kind == kind


def test_the_article_fits():
    texts = expressions(view(seen(0.5, category="orange"), complete=("orange",)), "orange")
    assert "an orange" in texts and "a orange" not in texts
