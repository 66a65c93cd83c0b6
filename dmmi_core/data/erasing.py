"""Phrase erasing (paper 3.1): one noun phrase of a text is masked, for context clue recovery to rebuild."""

import re

import numpy as np
import textblob.en
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def noun_phrases(text: str) -> list[tuple[int, int]]:
    """Character ranges [start, end) of the noun phrases, found by TextBlob's bundled tagger and chunker."""
    phrases, position = [], 0
    for line in textblob.en.parse(text).split("\n"):
        for word, _tag, chunk, *_ in (token.split("/") for token in line.split()):
            start = text.find(word, position)
            if start < 0:  # the tagger rewrote the word, for example an ampersand
                continue
            position = start + len(word)
            if chunk == "B-NP":
                phrases.append((start, position))
            elif chunk == "I-NP" and phrases:
                phrases[-1] = (phrases[-1][0], position)
    return [(a, b) for a, b in phrases if re.search(r"\w", text[a:b])]


def erase_phrase(
    text: str, ids: Tensor, tokenizer: PreTrainedTokenizerBase, rng: np.random.Generator
) -> Tensor:
    """`ids` (L,) of `text` with the word pieces of one noun phrase replaced by [MASK].

    A text without a noun phrase is returned as it is. Pieces that were cut off for length are ignored.
    """
    phrases = noun_phrases(text)
    if not phrases:
        return ids
    start, end = phrases[rng.integers(len(phrases))]
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    kept = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id}
    erased = ids.clone()
    for index, (a, b) in enumerate(offsets[: len(ids)]):
        if a < end and b > start and int(ids[index]) not in kept:
            erased[index] = tokenizer.mask_token_id
    return erased
