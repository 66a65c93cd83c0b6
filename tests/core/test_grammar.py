import pytest

from dmmi_core.politeness import expression_of


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
