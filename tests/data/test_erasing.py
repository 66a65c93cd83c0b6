from itertools import pairwise

import numpy as np
import pytest
from tiny import WORDS

from dmmi_core.data.erasing import erase_phrase, noun_phrases
from dmmi_core.model.text import tokenize


def erased(text: str, tokenizer, limit: int = 30, seeds: int = 30) -> set[str]:
    """The word pieces after erasing, for every phrase that is drawn."""
    (ids,), _ = tokenize(tokenizer, [text], limit)
    before, found = ids.clone(), set()
    for seed in range(seeds):
        result = erase_phrase(text, ids, tokenizer, np.random.default_rng(seed))
        assert result.shape == ids.shape and result.dtype == ids.dtype
        found.add(" ".join(WORDS[i] for i in result))
    assert ids.equal(before), "the given ids stay as they are"
    return found


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("the two dogs on a bus", ["the two dogs", "a bus"]),
        ("dog", ["dog"]),
        ("find the red zebras!", ["the red zebras"]),
        ("the dog, the dog", ["the dog", "the dog"]),
        ("  two cups ", ["two cups"]),
    ],
)
def test_noun_phrases(text, phrases):
    ranges = noun_phrases(text)
    assert [text[a:b] for a, b in ranges] == phrases
    assert all(a[1] <= b[0] for a, b in pairwise(ranges)), "in order, none twice"


@pytest.mark.parametrize("text", ["", "  ", "!!!", "and on", "/", "&", "a/b & c//d", "<b>", "\n\n"])
def test_odd_texts_have_phrases_within_them_or_none(text, tokenizer):
    assert all(0 <= a < b <= len(text) for a, b in noun_phrases(text))
    assert all(pieces.startswith("[CLS]") and pieces.endswith("[SEP]") for pieces in erased(text, tokenizer))


M = "[MASK]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the dog", {f"[CLS] {M} {M} [SEP]"}),
        ("find the red zebras!", {f"[CLS] find {M} {M} {M} {M} {M} ! [SEP]"}),
        (
            "the zebras, in a bus",
            {f"[CLS] {M} {M} {M} {M} , in a bus [SEP]", f"[CLS] the zeb ##ra ##s , in {M} {M} [SEP]"},
        ),
        ("The  DOG", {f"[CLS] {M} {M} [SEP]"}),
        ("the xylophone", {f"[CLS] {M} {M} [SEP]"}),
        ("and on", {"[CLS] and on [SEP]"}),
    ],
)
def test_exactly_the_pieces_of_one_phrase_are_erased(text, expected, tokenizer):
    assert erased(text, tokenizer) == expected


def test_every_phrase_is_drawn_alike_often(tokenizer):
    text = "the dog and the cat"
    (ids,), _ = tokenize(tokenizer, [text], 20)
    first = sum(
        int(erase_phrase(text, ids, tokenizer, np.random.default_rng(seed))[1]) == tokenizer.mask_token_id
        for seed in range(200)
    )
    assert 70 < first < 130


def test_padding_stays(tokenizer):
    ids, _ = tokenize(tokenizer, ["the dog", "find the two cats on the left"], 20)
    result = erase_phrase("the dog", ids[0], tokenizer, np.random.default_rng(0))
    assert [WORDS[i] for i in result] == ["[CLS]", M, M, "[SEP]"] + 5 * ["[PAD]"]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (6, {f"[CLS] {M} {M} in the [SEP]", f"[CLS] the dog in {M} [SEP]"}),
        (5, {f"[CLS] {M} {M} in [SEP]", "[CLS] the dog in [SEP]"}),
    ],
)
def test_a_cut_text_keeps_its_end(limit, expected, tokenizer):
    assert erased("the dog in the bus", tokenizer, limit) == expected
