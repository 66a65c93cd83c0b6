"""Whether an expression speaks of one object, as far as its grammar tells."""

import re

_SEVERAL = re.compile(
    r"\b(?:and|or|all|both|every|each|any|some|these|those|several|many|few|pair|group|couple|crowd|"
    r"two|three|four|five|six|seven|eight|nine|ten|[0-9]+|(?:every|any|some)(?:one|body|thing))\b"
)
_AFTER_THE_NOUN = re.compile(
    r"\b(?:on|in|at|with|without|of|to|next|near|by|behind|beside|under|over|above|below|between|from|about|"
    r"that|who|which|whose|is|are|facing|\w+ing)\b"
)
_ANOTHER = re.compile(r"\band (?:the|an?) ")
_PLURAL = re.compile(
    r"\b(?!this\b|his\b|its\b)(?:\w+[^isu\W]s|skis|people|men|women|children|sheep|mice|geese|cattle|police)\b"
)
_COLLECTIVE = re.compile(
    r"\b(?:fish|deer|aircraft|luggage|baggage|fruit|food|furniture|traffic|family|team|audience)$"
)
"""One word for many things, where it is the noun itself: "the fruit", not "the fruit bowl"."""


def is_singular(expression: str) -> bool:
    """True of "the cat on the sofa" and of "man in red"; not of "both cats", "the people", "a cat and a dog".

    Nor of a noun alone: "person" may be said of everybody. In doubt it is not.
    """
    text = expression.lower()
    subject = _AFTER_THE_NOUN.split(text, maxsplit=1)[0].strip()
    if not subject or len(text.split()) < 2:
        return False
    several = (_SEVERAL.search(subject), _PLURAL.search(subject), _COLLECTIVE.search(subject))
    return not any((*several, _ANOTHER.search(text)))
