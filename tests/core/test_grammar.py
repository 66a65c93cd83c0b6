import pytest

from dmmi_core.grammar import count_of, expression_of, is_singular, names_nothing


@pytest.mark.parametrize(
    ("request_", "expression"),
    [
        ("the red cups", "the red cups"),
        ("The red cups.", "The red cups"),
        ("Could you find the red cups, please?", "the red cups"),
        ("please find a man", "a man"),
        ("Hey robot, go to the two chairs on the left!", "the two chairs on the left"),
        ("where is the cat?", "the cat"),
        ("Are there any dogs?", "any dogs"),
        ("WHERE ARE THE DOGS", "THE DOGS"),
        ("now 2 cups please", "2 cups"),
        ("  the cat \n", "the cat"),
        ("find nobody", "nobody"),
        ("is there something to eat?", "something to eat"),
    ],
)
def test_only_what_is_referred_to(request_, expression):
    assert expression_of(request_) == expression


@pytest.mark.parametrize(
    "text",
    [
        *(
            "the cat 🐱",
            "🐱 the cat",
            "the 🐱 cat",
            '"the cat"',
            "the cat'",
            "'the cat'",
            "*the cat*",
            "**the** cat",
        ),
        *(
            "“the cat”",
            "„the cat“",
            "(the cat)",
            "[the] cat",
            "the cat\u200b",
            "\ufeffthe cat",
            "the\u00a0cat",
        ),
        *(
            "the \t cat",
            "- the cat",
            "> the cat",
            "# the cat",
            "`the cat`",
            "_the cat_",
            "the cat :)",
            "the cat ❤️",
        ),
        *("the cat 👨‍👩‍👧", "the cat 👍🏽", "the cat, please 🙏", 'find "the cat"', "the cat…!?"),
    ],
)
def test_decoration_changes_nothing(text):
    assert expression_of(text) == "the cat"


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("the dog’s bowl", "the dog's bowl"),
        ("the players' bench", "the players' bench"),
        ("man in a t-shirt - on the left", "man in a t-shirt on the left"),
        ("where’s the cat?", "the cat"),
        ("the cat, the one on the left", "the cat, the one on the left"),
        ("the 50% off sign for $5.50", "the 50% off sign for $5.50"),
        ("cats & dogs", "cats & dogs"),
        ("Cats.", "Cats"),
        ("the café, über 猫 कुत्ता", "the café, über 猫 कुत्ता"),
        ("1️⃣ dog", "1 dog"),
        ("[MASK] dog", "MASK dog"),
    ],
)
def test_what_is_part_of_the_words_stays(text, expression):
    assert expression_of(text) == expression


@pytest.mark.parametrize("text", ["🐱", "''", "***", "\u200b", "[]", "…"])
def test_decoration_alone_is_left_as_it_is(text):
    assert expression_of(text) == text


@pytest.mark.parametrize(
    "expression",
    [
        *("pick up truck on the left", "mark on the wall", "robot on the left"),
        *("robot arm", "hello kitty"),
        *("man who is to find the ball", "the man pleased", "take away boxes", "now"),
        *("please", "...", "?"),
    ],
)
def test_expressions_that_begin_alike_stay(expression):
    assert expression_of(expression) == expression


@pytest.mark.parametrize(
    "text",
    ["please " * 20_000, "please" + " " * 100_000 + "x", "." * 100_000 + "x", "'" * 100_000, "s' " * 50_000],
)
@pytest.mark.timeout(10)
def test_long_nonsense_takes_no_time(text):
    assert expression_of(text)


@pytest.mark.parametrize(
    "expression",
    [
        "the cat",
        "a bus",
        "this bus",
        "the tennis racket",
        "The Person in Orange",
        "man in red",
        "the left glass",
        "the cup next to the plates",
        "a woman wearing glasses and jeans",
        "the dog that chases two cats",
        "the second chair from the left",
        "the traffic light",
        "the fruit bowl",
        "the larger of the two cups",
        "the left one of the two dogs",
        "the dog that is not near the cats",
        "person without glasses",
        "the person not holding two cups",
        "the dog farthest from the cups",
    ],
)
def test_one_object(expression):
    assert is_singular(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "the cats",
        "both cats",
        "every cat",
        "the two dogs on the left",
        "cups",
        "all people",
        "the people",
        "a cat and a dog",
        "cat and dog",
        "the men",
        "the skis",
        "the men closest to us",
        "pedestrians about to cross",
        "person",
        "everyone in red",
        "somebody on the left",
        "something to sit on",
        "people without an umbrella",
        "the dogs that are not near the cat",
        "",
        "on the left",
        "3 cups",
        "the luggage",
        "the fish in the tank",
    ],
)
def test_perhaps_several(expression):
    assert not is_singular(expression)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "nobody",
            "Nobody.",
            "no one",
            "no-one",
            "nothing",
            "none",
            "neither",
            "nothing at all",
            "find nobody",
        ),
        *(
            "no cats",
            "no cat",
            "no people",
            "no dogs on the left",
            "no red cars",
            "no traffic lights",
            "no umbrella",
        ),
        *("nobody in red", "none of the dogs", "neither of the cups"),
        *("not a single dog", "not one dog"),
        *("not any dogs", "zero cats", "there is nobody"),
        *("there are no cats", "no stop sign", "no signs"),
        *("no person with a hat", "nothing to eat"),
    ],
)
def test_no_target(text):
    assert names_nothing(expression_of(text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "no parking sign",
            "no entry sign",
            "no left turn sign",
            "no parking",
            "no u-turn",
            "no smoking area",
        ),
        *("no dogs allowed sign", "the no parking sign"),
        *("person with no hat", "person not holding anything"),
        *(
            "nothing but the cat",
            "no people but the man",
            "nobody except the woman",
            "none other than the cat",
        ),
        *(
            "nobody's dog",
            "no one's bag",
            "no hat",
            "no shirt guy",
            "no, the other cat",
            "no 5",
            "no. 5",
            "no",
        ),
        *(
            "the chair nobody sits on",
            "the one with nothing on it",
            "not the cat",
            "no the cat",
            "no longer used",
        ),
        *("the cat", "cats", "notebook", "north side"),
        *("nonetheless the cat", "someone", "anything", ""),
    ],
)
def test_perhaps_a_target(text):
    assert not names_nothing(expression_of(text) if text else text)


@pytest.mark.parametrize("text", ["no " * 50_000, "no " + "x" * 100_000, "nobody " * 20_000, "not " * 50_000])
@pytest.mark.timeout(10)
def test_long_nonsense_is_judged_in_no_time(text):
    assert names_nothing(text) in (True, False)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        *(("the two cats", 2), ("Two cats on the left", 2), ("both dogs", 2), ("all three people", 3)),
        *(("12 birds", 12), ("two of the chairs", 2), ("the cats", None), ("the second two", None)),
        *(("two dogs and a cat", None), ("the 3rd car", None), ("a pair of scissors", None), ("1 cup", None)),
    ],
)
def test_the_number_that_a_text_gives(expression, count):
    assert count_of(expression) == count
