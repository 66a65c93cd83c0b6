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
    ],
)
def test_only_what_is_referred_to(request_, expression):
    assert expression_of(request_) == expression


@pytest.mark.parametrize(
    "expression",
    [
        *("pick up truck on the left", "mark on the wall", "robot on the left", "robot arm", "hello kitty"),
        *("man who is to find the ball", "the man pleased", "take away boxes", "now", "please", "...", "?"),
    ],
)
def test_expressions_that_begin_alike_stay(expression):
    assert expression_of(expression) == expression


@pytest.mark.parametrize("text", ["please " * 20_000, "please" + " " * 100_000 + "x", "." * 100_000 + "x"])
@pytest.mark.timeout(10)
def test_long_nonsense_takes_no_time(text):
    assert expression_of(text)
