import json

import pytest

from dmmi_core.data.refzom.caption_candidates import candidate_pairs, read_confirmed
from dmmi_core.data.refzom.category_terms import Vocabulary
from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.synthesis.scenes import Scene, SceneObject
from dmmi_core.errors import InputError

COMPLETE = frozenset(["person", "dog", "car", "truck", "bus", "couch", "animal"])
OBJECTS = ["person", "dog", "person", "dog", "dog", "car", "truck"]
"""Annotations 10 to 16."""


def proposed(caption: str, complete=COMPLETE, masked: int = len(OBJECTS)) -> list[tuple]:
    objects = tuple(SceneObject(category, (0, 0, 9, 9)) for category in OBJECTS)
    ids = tuple(range(10, 10 + masked))
    image = SourceImage(5, Scene("a.jpg", 9, 9, objects, complete), ids, frozenset(), (caption,), (), ())
    pairs = list(candidate_pairs(image, Vocabulary(COMPLETE)))
    assert all(pair.text == caption and pair.image_id == 5 for pair in pairs)
    return [pair.targets for pair in pairs]


@pytest.mark.parametrize(
    ("caption", "targets"),
    [
        ("Two people on a sofa.", (10, 12)),
        ("a group of people", (10, 12)),
        ("Some men standing around", (10, 12)),
        ("two people and three dogs", (10, 11, 12, 13, 14)),
        ("A few dogs run.", (11, 13, 14)),
        ("There are three dogs in a field", (11, 13, 14)),
        ("A picture of two vans", (15, 16)),
        ("a car and a truck", (15, 16)),
        ("Three people on a sofa.", None),
        ("A man and a dog", None),
        ("a man and three dogs", None),
        ("a car", None),
        ("a van", None),
        ("two people and a tree", None),
        ("two sofas", None),
        ("the animals", None),
        ("Two hot dogs", None),
        ("a man's two dogs", None),
        ("a field", None),
    ],
)
def test_subject_and_number_must_fit(caption, targets):
    assert proposed(caption) == ([targets] if targets else [])


def test_only_of_categories_that_are_labelled_in_full():
    assert proposed("two people", complete=COMPLETE - {"person"}) == []
    assert proposed("two people", complete=COMPLETE - {"dog"}) == [(10, 12)]


def test_only_of_objects_with_masks():
    assert proposed("two people", masked=2) == []


def test_confirmed_lines_are_read(tmp_path):
    path = tmp_path / "confirmed.jsonl"
    kept = {"image": "a.jpg", "image_id": 5, "text": "two  men\n", "ann_id": [12, 10, 12]}
    path.write_text(json.dumps(kept) + "\n")
    (pair,) = read_confirmed(path)
    assert (pair.image_id, pair.text, pair.targets, pair.strategy) == (5, "two men", (10, 12), "captions")


GOOD = {"image_id": 5, "text": "two men", "ann_id": [10, 12]}


@pytest.mark.parametrize(
    "line",
    ["", "two men", "3", json.dumps({**GOOD, "text": " "}), json.dumps({**GOOD, "text": 3}),
     json.dumps({**GOOD, "ann_id": [10, 10]}), json.dumps({**GOOD, "ann_id": 10}),
     json.dumps({**GOOD, "ann_id": [[1], [2]]}), json.dumps({"text": "two men", "ann_id": [10, 12]})],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "confirmed.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n")
    with pytest.raises(InputError, match=r"confirmed\.jsonl, line 2: not a candidate: "):
        read_confirmed(path)
