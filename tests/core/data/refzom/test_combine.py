import re

import numpy as np
import pytest

from dmmi_core.data.refzom.combine import MAX_WORDS, combined_pairs
from dmmi_core.data.refzom.text_image_pairs import Pair


def combined(*texts: str, targets=None, count: int = 50) -> dict[str, tuple]:
    """Every text that some draw makes of one-to-one texts about annotations 0, 1, 2 ..., and its targets."""
    targets = targets or range(len(texts))
    pairs = [Pair(5, text, (target,), "expressions") for text, target in zip(texts, targets, strict=True)]
    made = [p for seed in range(10) for p in combined_pairs(pairs, count, np.random.default_rng(seed))]
    assert all(pair.image_id == 5 and pair.strategy == "combined" and pair.kind == "many" for pair in made)
    return {pair.text: pair.targets for pair in made}


def test_two_texts_are_joined_in_either_order():
    assert combined("Man on left.", " dog  in middle!") == {
        "man on left and dog in middle": (0, 1),
        "dog in middle and man on left": (0, 1),
    }


def test_three_texts():
    made = combined("a man", "a dog", "a cup")
    assert any(re.fullmatch(r"a \w+, a \w+ and a \w+", text) for text in made)
    assert {len(targets) for targets in made.values()} == {2, 3}
    for text, targets in made.items():
        assert {"man": 0, "dog": 1, "cup": 2}.keys() >= set(re.findall(r"man|dog|cup", text))
        assert sorted(["man", "dog", "cup"].index(w) for w in re.findall(r"man|dog|cup", text)) == list(
            targets
        )


@pytest.mark.parametrize(
    "other",
    ["find the dog", "man and dog", "dog, brown", "the one who sits", "cup not in front",
     "the dog is asleep", "...", "", "a man",
     "the dog " + "very " * MAX_WORDS + "far"],
)  # fmt: skip
def test_what_cannot_be_joined(other):
    assert combined("a man", other) == {}


def test_a_relative_clause_is_no_sentence():
    assert "the man and the dog that is asleep" in combined("the man", "the dog that is asleep")


def test_articles_are_used_throughout_or_not_at_all():
    assert set(combined("the man", "left dog", "a cup", "theme park")) == {
        "the man and a cup",
        "a cup and the man",
        "left dog and theme park",
        "theme park and left dog",
    }


def test_texts_of_one_object_are_not_joined():
    assert combined("the man", "the guy", targets=[7, 7]) == {}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_no_more_than_asked_for_and_no_group_twice(count):
    pairs = [Pair(5, f"the {name}", (i,), "templates") for i, name in enumerate(("man", "dog", "cup"))]
    for seed in range(20):
        made = combined_pairs(pairs, count, np.random.default_rng(seed))
        assert len(made) <= count
        assert len({pair.targets for pair in made}) == len(made)


def test_without_texts():
    assert combined_pairs([], 2, np.random.default_rng(0)) == []
