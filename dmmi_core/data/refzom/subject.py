"""The subjects of a text: the nouns that it begins with, after "there is" and "a group of"."""

import re
from dataclasses import dataclass

import textblob.en

from dmmi_core.data.lexicon.terms import PARTITIVES
from dmmi_core.data.refzom.category_terms import Mention, Term, Vocabulary, words_of

_OPENINGS = frozenset("there here this these is are find show me point at segment look select".split())  # noqa: SIM905
_BEFORE_A_NOUN = re.compile(r"DT|PDT|JJ[RS]?|CD|VB[DGN]|CC|PRP\$|RB|NN|NNP")
_NOUNS = ("NN", "NNS")
_NUMBERS = {"two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6}


@dataclass(frozen=True)
class Subject:
    """A term that a text is about."""

    term: Term
    count: int | None
    """Number of objects that the text speaks of; None for several."""


@dataclass(frozen=True)
class Reading:
    """The categories that a text may mention, and its subjects; none if they are not clear."""

    mentioned: frozenset[str]
    subjects: tuple[Subject, ...]


def read_text(text: str, vocabulary: Vocabulary) -> Reading:
    """Read a text: "a man and two dogs on a sofa" mentions a couch, and is about a man and two dogs."""
    words = words_of(text)
    mentions = vocabulary.mentions(words)
    mentioned = frozenset().union(*(mention.term.categories for mention in mentions))
    starts = {mention.start: mention for mention in mentions}
    return Reading(mentioned, _subjects(words, _tags(words), starts))


def _subjects(words: list[str], tags: list[str], mentions: dict[int, Mention]) -> tuple[Subject, ...]:
    found, start = [], _opening(words, tags)
    while True:
        head = _head(words, tags, mentions, start)
        if head is None:
            return ()
        number = next((_NUMBERS[word] for word in words[start : head.start] if word in _NUMBERS), None)
        found.append(Subject(head.term, number or (None if tags[head.end - 1] == "NNS" else 1)))
        if words[head.end : head.end + 1] != ["and"]:
            return tuple(found)
        start = head.end + 1


def _opening(words: list[str], tags: list[str]) -> int:
    """Return the number of words that only introduce the subject."""
    start = 0
    while start < len(words) and words[start] in _OPENINGS:
        start += 1
    for of in range(start + 1, min(start + 6, len(words))):
        if words[of] == "of" and _is_partitive(words[of - 1]):
            plain = all(
                _is_partitive(words[i]) or _BEFORE_A_NOUN.fullmatch(tags[i]) for i in range(start, of - 1)
            )
            return of + 1 + _opening(words[of + 1 :], tags[of + 1 :]) if plain else start
    return start


def _is_partitive(word: str) -> bool:
    return bool({word, word.removesuffix("s"), word.removesuffix("es")} & PARTITIVES)


def _head(words: list[str], tags: list[str], mentions: dict[int, Mention], start: int) -> Mention | None:
    """Return the last of the adjacent terms in the noun phrase at `start`, or None if it is not its head."""
    while start < len(words) and start not in mentions:
        if not _BEFORE_A_NOUN.fullmatch(tags[start]):
            return None
        start += 1
    head = mentions.get(start)
    while head is not None and head.end in mentions and tags[head.end] in _NOUNS:
        head = mentions[head.end]
    if head is None or head.end == len(words):
        return head
    return None if tags[head.end] in _NOUNS or words[head.end] == "s" else head


def _tags(words: list[str]) -> list[str]:
    """Return the Penn Treebank part-of-speech tag of each word."""
    parsed = textblob.en.parse(" ".join(words), tokenize=False, chunks=False).split(" ")
    return [token.rpartition("/")[2] for token in parsed if token]
