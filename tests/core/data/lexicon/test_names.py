import pytest

from dmmi_core.data.lexicon.names import (
    LOOK_ALIKES,
    SYNONYMS,
    VAGUE,
    excluded_by,
    look_alikes,
    names,
    plural,
)


@pytest.mark.parametrize(
    ("singular", "expected"),
    [("dog", "dogs"), ("person", "people"), ("sheep", "sheep"), ("bus", "buses"), ("knife", "knives"),
     ("wine glass", "wine glasses"), ("skis", "skis"), ("mouse", "mice"), ("cow", "cows"),
     ("red cup", "red cups"), ("tall person", "tall people"), ("tennis player", "tennis players"),
     ("person in black", "people in black"), ("person wearing a red coat", "people wearing a red coat"),
     ("person with the bag", "people with the bag"), ("woman", "women"), ("child", "children")],
)  # fmt: skip
def test_plural(singular, expected):
    assert plural(singular) == expected


def test_names_of_a_category_begin_with_its_own():
    assert names("couch") == ("couch", "sofa")
    assert names("dog") == ("dog",)


def test_no_name_means_two_categories():
    every = [name for category in {c for kind in LOOK_ALIKES for c in kind} for name in names(category)]
    assert len(every) == len(set(every))
    assert {name for name in VAGUE if not any(name in other for other in SYNONYMS.values())} == set()


def test_look_alikes():
    assert {"cat", "bear"} <= look_alikes("dog") and "dog" not in look_alikes("dog")
    assert look_alikes("unicorn") == set()
    assert all(
        category in look_alikes(other) for category in ("dog", "cup") for other in look_alikes(category)
    )


def test_words_that_exclude_each_other():
    assert "woman" in excluded_by("boy") and "man" in excluded_by("lady")
    assert excluded_by("skier") == set()
