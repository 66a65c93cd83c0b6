import pytest

from dmmi_core.plurality import is_singular


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
