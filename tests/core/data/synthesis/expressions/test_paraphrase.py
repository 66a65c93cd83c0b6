import numpy as np
import pytest

from dmmi_core.data.synthesis.expressions.basic import Expression
from dmmi_core.data.synthesis.expressions.paraphrase import reword


def worded(text: str) -> set[str]:
    made = [reword(Expression(text, (3,)), np.random.default_rng(seed)) for seed in range(800)]
    assert all(item.targets == (3,) for item in made)
    return {item.text for item in made}


@pytest.mark.parametrize(
    ("text", "others", "never"),
    [
        ("the dog on the left",
         {"the dog on left", "the dog to the left", "can you see the dog on the left?"}, {"right", "most"}),
        ("the rightmost cup", {"the far right cup", "the right most cup", "rightmost cup"}, {"left"}),
        ("left cup", {"the left cup", "left side cup", "the left hand cup"}, {"right", "most"}),
        ("all the dogs",
         {"each of the dogs", "every one of the dogs", "where are all the dogs?"}, {"except"}),
        ("the two dogs", {"both dogs", "both of the dogs"}, set()),
    ],
)  # fmt: skip
def test_the_same_in_other_words(text, others, never):
    made = worded(text)
    assert {text, *others} <= made
    assert not any(word in other for other in made for word in never)


def test_two_leftmost_are_not_both():
    assert not any("both" in text for text in worded("the two leftmost dogs"))


def test_a_request_is_not_asked_for_again():
    assert worded("show me the dog") == {"show me the dog"}


def test_no_text_gets_an_indefinite_article():
    assert not any(" a dog" in f" {text}" for text in worded("the dog"))


def test_long_texts_only_change_their_article():
    rest = "man in a red coat walking down the street with a dog"
    assert worded(f"a {rest}") == {f"a {rest}", f"the {rest}", rest}
