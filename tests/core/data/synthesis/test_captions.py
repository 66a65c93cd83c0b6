import pytest

from dmmi_core.data.synthesis.captions import apply_captions, person_names, read_phrase, unmentioned
from dmmi_core.data.synthesis.scenes import Scene, SceneObject


@pytest.mark.parametrize(
    ("caption", "text", "category", "number", "mentions"),
    [
        ("A man riding a wave on a surfboard.", "a man riding a wave on a surfboard", "person", 1,
         {"person", "surfboard"}),
        ("Two dogs are playing in the grass", "two dogs are playing in the grass", "dog", 2, {"dog"}),
        ("A couple of giraffes standing next to a tree", "a couple of giraffes standing next to a tree",
         "giraffe", 2, {"giraffe"}),
        ("The cat is sitting on a laptop", "the cat is sitting on a laptop", "cat", 1, {"cat", "laptop"}),
        ("There is a cat on the bed", "a cat on the bed", "cat", 1, {"cat", "bed"}),
        ("A group of people on skis", "a group of people on skis", "person", None, {"person", "skis"}),
        ("A woman in a long red coat walking down the street on a sunny day with a",
         "a woman in a long red coat walking down the street on", "person", 1, {"person"}),
        ("A man in an orange shirt on a remote beach", "a man in an orange shirt on a remote beach",
         "person", 1, {"person"}),
        ("A woman waits at a train station beside a train", "a woman waits at a train station beside a train",
         "person", 1, {"person", "train"}),
        ("The cat is on a table with plants", "the cat is on a table with plants", "cat", 1, {"cat"}),
    ],
)  # fmt: skip
def test_the_subject_of_a_caption(caption, text, category, number, mentions):
    phrase = read_phrase(caption)
    assert phrase.category == category and phrase.number == number and phrase.mentions == mentions
    assert text.startswith(phrase.text) and len(phrase.text) > 0.8 * len(text)


@pytest.mark.parametrize(
    "caption",
    [
        "A woman and a child sit on a bench",
        "A man with another man",
        "A bathroom with a toilet and sink",
        "A woman holding a baby",
        "A cat looking at its reflection in the mirror",
        "The dog on the left is sleeping",
        "A man, a woman and a dog",
        "Some children on a bench",
        "A statue of a horse",
        "",
    ],
)
def test_captions_that_are_not_certain_are_left_out(caption):
    assert read_phrase(caption) is None


@pytest.mark.parametrize(
    ("number", "counts"),
    [("A dog", {1}), ("Two dogs", {2}), ("Dogs", set(range(2, 10)))],
)
def test_the_number_fits(number, counts):
    phrase = read_phrase(f"{number} in the park")
    assert {count for count in range(10) if phrase.fits(count)} == counts


def test_what_nobody_mentions_is_not_there():
    captions = ["A man on skis.", "A skier in the snow.", "Man skiing.", "A person on a hill.", "A man."]
    missing = unmentioned(captions)
    assert {"cat", "horse", "bus", "pizza", "umbrella"} <= missing
    assert "skis" not in missing and "person" not in missing and "cup" not in missing
    assert unmentioned(captions[:4]) == frozenset(), "too few to tell"
    assert not {"cat", "horse"} & unmentioned([*captions, "Some animals behind"])


@pytest.mark.parametrize(
    ("captions", "count", "expected"),
    [
        (["A man sits", "A man sits", "A person sits"], 1, {"man", "guy"}),
        (["A woman sits", "A lady sits", "A woman sits"], 1, {"woman", "lady"}),
        (["A man sits", "A woman sits", "A man sits"], 1, set()),
        (["A man sits", "A person sits", "Someone sits"], 1, set()),
        (["A skier", "A skier goes", "The man skis"], 1, {"skier"}),
        (["Two men", "two men talk", "Two people"], 2, {"man", "guy"}),
        (["Two men", "A man with a man", "Two people"], 2, set()),
        (["A man sits", "A man sits", "Two men"], 1, set()),
        (["A man", "A man"], 1, set()),
        (["A man", "A man", "A man"], 3, set()),
    ],
)
def test_names_of_persons(captions, count, expected):
    assert person_names(captions, count) == expected


def test_a_scene_is_told_of_by_its_captions():
    objects = (SceneObject("person", (0, 0, 9, 9)), SceneObject("bus", (0, 0, 9, 9)))
    captions = ("A man on skis", "The man is outside", "A man in the snow", "A skier", "Two men", "A bus")
    scene = apply_captions(Scene("", 9, 9, objects, frozenset({"person"}), captions[:4] + captions[:1]))
    assert scene.objects[0].names == {"man", "guy"} and scene.objects[1].names == frozenset()
    assert {"person", "cat", "dog"} <= scene.complete
    assert "skis" not in scene.complete, "captions say that they are there"
    assert "bus" not in scene.complete, "there is one, and there may be more"
    assert {phrase.text for phrase in scene.phrases} == {caption.lower() for caption in captions[:4]}
    assert apply_captions(Scene("", 9, 9, objects, frozenset({"person"}), captions[4:])).phrases == ()
