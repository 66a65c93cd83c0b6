"""Strategy (2): one-to-one texts of different objects in an image, joined into one about all of them."""

import re

import numpy as np

from dmmi_core.data.refzom.text_image_pairs import Pair

MAX_WORDS = 18
"""Most words of a joined text; the network reads 20 tokens and would cut longer ones off."""
TRIPLE_SHARE = 0.25
"""Share of the joined texts with three objects, if there are three."""
TRIES = 5
"""Draws for each joined text that is asked for."""

_COMMAND = re.compile(r"(find|show|point|segment|look|select|click|choose|pick)\b")
_DETERMINER = re.compile(r"(the|an?)\b")
_JOINED = re.compile(r"\b(and|or|but|both|who|not|no)\b|[,;:.!?]")
_SENTENCE = re.compile(r"(?<!that )(?<!which )\b(is|are|was|were)\b")


def combined_pairs(pairs: list[Pair], count: int, rng: np.random.Generator) -> list[Pair]:
    """Return up to `count` joined texts of two or three objects, from the one-to-one `pairs` of one image."""
    parts = [Pair(p.image_id, text, p.targets, p.strategy) for p in pairs if (text := _part(p.text))]
    found: dict[tuple, Pair] = {}
    for _ in range(TRIES * count):
        size = 3 if rng.random() < TRIPLE_SHARE else 2
        group = [parts[i] for i in rng.permutation(len(parts))[:size]]
        if _can_join(group) and len(found) < count:
            joined = _join(group)
            found.setdefault(joined.targets, joined)
    return list(found.values())


def _part(text: str) -> str:
    """Return the text as part of a sentence, or "" if joining would change its meaning."""
    part = " ".join(text.lower().split()).rstrip(" .,;:!?")
    whole = _COMMAND.match(part) or _SENTENCE.search(part)
    return "" if whole or _JOINED.search(part) else part


def _can_join(group: list[Pair]) -> bool:
    """Return whether the texts are of different objects, and all with an article or all without.

    "the cup and left fork" would not do.
    """
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
