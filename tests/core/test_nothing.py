import pytest

from dmmi_core.nothing import names_nothing
from dmmi_core.politeness import expression_of


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
def test_long_nonsense_takes_no_time(text):
    assert names_nothing(text) in (True, False)
