"""Way (2): one-to-one texts of different objects in an image, joined into one text about all of them."""

import re

import numpy as np

from dmmi_core.data.refzom.pairs import Pair

MAX_WORDS = 18
"""Of a joined text: longer ones would be cut off at the 20 tokens that the network reads."""
TRIPLE_SHARE = 0.25
"""Of the joined texts: those of three objects, where there are three."""
TRIES = 5

_COMMAND = re.compile(r"(find|show|point|segment|look|select|click|choose|pick)\b")
_DETERMINER = re.compile(r"(the|an?)\b")
_JOINED = re.compile(r"\b(and|or|but|both|who|not|no)\b|[,;:.!?]")
_SENTENCE = re.compile(r"(?<!that )(?<!which )\b(is|are|was|were)\b")


def combined_pairs(pairs: list[Pair], count: int, rng: np.random.Generator) -> list[Pair]:
    """Up to `count` joined texts of the one-to-one `pairs` of one image, each of two or three objects."""
    parts = [Pair(p.image_id, text, p.targets, p.way) for p in pairs if (text := _part(p.text))]
    found: dict[tuple, Pair] = {}
    for _ in range(TRIES * count):
        size = 3 if rng.random() < TRIPLE_SHARE else 2
        group = [parts[i] for i in rng.permutation(len(parts))[:size]]
        if _can_join(group) and len(found) < count:
            joined = _join(group)
            found.setdefault(joined.targets, joined)
    return list(found.values())


def _part(text: str) -> str:
    """As it reads within a sentence; "" for a text that cannot be joined without changing what it says."""
    part = " ".join(text.lower().split()).rstrip(" .,;:!?")
    whole = _COMMAND.match(part) or _SENTENCE.search(part)
    return "" if whole or _JOINED.search(part) else part


def _can_join(group: list[Pair]) -> bool:
    """Different objects, and all phrases with an article or all without: not "the cup and left fork"."""
    targets = {target for pair in group for target in pair.targets}
    return (
        len(targets) == len(group) > 1
        and len({pair.text for pair in group}) == len(group)
        and len({bool(_DETERMINER.match(pair.text)) for pair in group}) == 1
        and sum(len(pair.text.split()) + 1 for pair in group) - 1 <= MAX_WORDS
    )


def _join(group: list[Pair]) -> Pair:
    *first, last = [pair.text for pair in group]
    targets = tuple(sorted(target for pair in group for target in pair.targets))
    return Pair(group[0].image_id, f"{', '.join(first)} and {last}", targets, "combined")
