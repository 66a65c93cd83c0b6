"""Text without the characters that show nothing."""

import pytest

from dmmi_core.visible_text import strip_hidden


@pytest.mark.parametrize(
    "text",
    ["", " \t\n", "\u200b", "\ufeff\u200b \u2060", "\u3164", "\u2800\u2800", "\u00ad", "\ufe0f"],
)
def test_text_that_shows_nothing_is_empty(text):
    assert strip_hidden(text) == ""


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("\ufeffthe cat\u200b", "the cat"),
        ("the\u00a0cat", "the\u00a0cat"),
        ("cafe\u0301", "cafe\u0301"),  # a combining accent shows
        ("?", "?"),
        (" 猫 ", "猫"),
    ],
)
def test_what_shows_is_kept(text, stripped):
    assert strip_hidden(text) == stripped
