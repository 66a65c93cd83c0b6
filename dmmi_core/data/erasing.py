"""Phrase erasing (paper 3.1): masks one noun phrase of a text, for context clue recovery to rebuild."""

import re

import numpy as np
import textblob.en
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from dmmi_core.tokenizer import PLAIN

PLACES = frozenset(
    """left leftmost right rightmost middle center centre top bottom upper lower front back rear side corner
    edge end far near""".split()  # noqa: SIM905
)
"""Words of position; the tagger calls them verbs, nouns or adverbs, depending on the context."""
COMMANDS = frozenset(("find", "show", "point", "look", "segment", "select"))
"""Verbs that begin a request; the tagger takes some for nouns."""
CLASSES = {
    **{"DT": "d", "PDT": "d", "PRP$": "d", "CD": "d"},
    **{"CC": "c", "RB": "r", "VBN": "v", "VBG": "g", "VB": "b", "VBP": "b"},
}
"""Class letters of the Penn Treebank tags that may be part of a noun phrase."""

_WORD = re.compile(r"\w+(?=['’]s\b)|['’] ?(?:s|t|re|ll|ve)\b|\w+(?:[-'’]\w+)*|[^\w\s]")
# The alphabet is the letters of CLASSES and a (adjective), n (noun), p (place), s (possessive). A participle
# needs a word before it: "the standing man", but not "man holding umbrella". A verb after an adjective is a
# noun: "polar bear".
_MODIFIERS = r"d*(?:r?a(?:ca)*|p|(?<=d)g|(?<=[da])v)*"
_NOUNS = r"(?:n|(?<=[dapvg])b)n*"
_PHRASE = re.compile(rf"{_MODIFIERS}{_NOUNS}(?:s{_MODIFIERS}{_NOUNS})*")
_NOUNLESS = re.compile(r"d*[apv]*[ap]")


def noun_phrases(text: str) -> list[tuple[int, int]]:
    """Return the character ranges [start, end) of the noun phrases, in order, by TextBlob's bundled tagger.

    Places and colours alone, such as "the left", count only in a text without a noun.
    """
    words = list(_WORD.finditer(text))
    classes = word_classes([word.group().lower() for word in words])
    found = list(_PHRASE.finditer(classes)) or _NOUNLESS.finditer(classes)
    return [(words[m.start()].start(), words[m.end() - 1].end()) for m in found]


def word_classes(words: list[str]) -> str:
    """Return the class letter of each word, as in CLASSES; "-" for a word that ends a noun phrase."""
    heads = [word.rpartition("-")[2] for word in words]  # the tagger knows "shirt", not "t-shirt"
    tagged = textblob.en.parser.find_tags(heads)
    return "".join(_word_class(word, tag) for word, (_, tag) in zip(words, tagged, strict=True))


def _word_class(word: str, tag: str) -> str:
    if word[0] in "'’":
        return "s" if word[-1] == "s" else "-"
    if word in PLACES:
        return "p"
    if word in COMMANDS or not re.search(r"\w", word):
        return "-"
    if word in ("one", "ones") or tag.startswith("NN"):
        return "n"
    return "a" if tag.startswith("JJ") or "-" in word else CLASSES.get(tag, "-")


def erase_phrase(
    text: str, ids: Tensor, tokenizer: PreTrainedTokenizerBase, rng: np.random.Generator
) -> Tensor:
    """Return the `ids` (L,) of `text` with the word pieces of one random noun phrase replaced by [MASK].

    A text without a noun phrase stays as it is. Phrases that are cut off for length are never drawn.
    """
    offsets = tokenizer(text, return_offsets_mapping=True, **PLAIN)["offset_mapping"][: len(ids)]
    values = ids.tolist()
    kept = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id}
    pieces = [(i, *offset) for i, offset in enumerate(offsets) if values[i] not in kept]
    phrases = [[i for i, a, b in pieces if a < end and b > start] for start, end in noun_phrases(text)]
    phrases = [phrase for phrase in phrases if phrase]
    if not phrases:
        return ids
    erased = ids.clone()
    erased[phrases[rng.integers(len(phrases))]] = tokenizer.mask_token_id
    return erased
