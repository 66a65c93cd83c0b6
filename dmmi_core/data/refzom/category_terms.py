"""The vocabulary that finds mentions of categories in a text: whole words, the longest term first."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dmmi_core.data.lexicon.terms import LOOSE, SURE
from dmmi_core.data.synthesis.expressions.basic import plural


@dataclass(frozen=True)
class Term:
    """The meaning of some words: one of `categories`."""

    categories: frozenset[str]
    sure: bool
    """Whether the words mean one of `categories` and nothing else."""


@dataclass(frozen=True)
class Mention:
    """A term in words [start, end) of a text."""

    start: int
    end: int
    term: Term


def words_of(text: str) -> list[str]:
    """Return lower-case words and numbers, without punctuation: man, s, t, shirt for "Man's T-shirt"."""
    return re.findall(r"[a-z]+|[0-9]+", text.lower())


class Vocabulary:
    """The terms for the categories of COCO and those of one dataset, whose names are terms too."""

    def __init__(self, categories: Iterable[str]):
        self._terms: dict[tuple[str, ...], Term] = {}
        for table, sure in ((LOOSE, False), (SURE, True)):
            for meant, names in table.items():
                self._add(names.split(", "), frozenset(meant.split(", ")), sure)
        named = {category for table in (LOOSE, SURE) for meant in table for category in meant.split(", ")}
        for category in sorted(named.union(categories)):
            self._add([category], frozenset([category]), True)
        self._longest = max(map(len, self._terms))

    def _add(self, names: list[str], categories: frozenset[str], sure: bool) -> None:
        """Add the forms of terms; a term that is loose anywhere stays loose, and keeps all its meanings."""
        forms = {tuple(words_of(form)) for name in names for form in (name, plural(name), f"{name}s")}
        for form in forms:
            known = self._terms.get(form, Term(frozenset(), True))
            self._terms[form] = Term(known.categories | categories, known.sure and sure)

    def mentions(self, words: list[str]) -> list[Mention]:
        """Return the mentions in order; a longer term hides those inside it, as "hot dog" hides "dog"."""
        found, start = [], 0
        while start < len(words):
            for end in range(min(start + self._longest, len(words)), start, -1):
                if term := self._terms.get(tuple(words[start:end])):
                    found.append(Mention(start, end, term))
                    break
            else:
                end = start + 1
            start = end
        return found
