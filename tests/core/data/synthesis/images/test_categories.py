from collections import Counter

import numpy as np
import pytest

from dmmi_core.data.synthesis.images.categories import CATEGORY_POWER, CategoryIndex
from dmmi_core.data.synthesis.scenes import Scene, SceneObject


def scene(*objects: str, complete: tuple[str, ...] = ("cat", "cup", "dog")) -> Scene:
    there = tuple(SceneObject(category, (0, 0, 1, 1)) for category in objects)
    return Scene("", 1, 1, there, frozenset(complete))


SCENES = [scene("dog", "dog", "cup"), scene(), scene("dog"), scene("cat", "dog", complete=("cat",))]


def test_only_complete_categories_are_known():
    index = CategoryIndex(SCENES)
    assert index.present == {"cat": [3], "cup": [0], "dog": [0, 2]}
    assert index.absent == {"cat": [0, 1, 2], "cup": [1, 2], "dog": [1]}


@pytest.mark.parametrize(
    ("count", "among", "expected"),
    [
        (2, ["dog", "cat"], {"cat", "dog"}),
        (5, None, {"cat", "cup", "dog"}),
        (3, ["dog", "zebra"], {"dog"}),
        (1, [], set()),
        (0, None, set()),
    ],
)
def test_drawn_ones_differ_and_occur_somewhere(count, among, expected):
    drawn = CategoryIndex(SCENES).draw(np.random.default_rng(0), count, among)
    assert len(drawn) == len(set(drawn)) and set(drawn) == expected


def test_frequent_categories_are_drawn_more_often_but_less_than_they_occur():
    index, rng = CategoryIndex([scene("dog")] * 16 + [scene("cat")]), np.random.default_rng(0)
    counts = Counter(index.draw(rng, 1)[0] for _ in range(2000))
    assert counts["dog"] / counts["cat"] == pytest.approx(16**CATEGORY_POWER, rel=0.15)
