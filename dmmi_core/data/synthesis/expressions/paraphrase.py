"""Paraphrases of an expression, as different people would say it."""

import re

import numpy as np

from dmmi_core.data.synthesis.expressions.basic import PREFIXES, Expression
from dmmi_core.data.synthesis.random import pick

_REQUESTS = (
    *("can you see {}?", "can you find {}?", "where is {}?", "where are {}?", "i want {}", "give me {}"),
    *("please find {}", "i am looking for {}", "go to {}", "locate {}", "highlight {}", "mark {}", "pick {}"),
    *(
        "{} in the picture",
        "{} in the photo",
        "{} in this image",
        "do you see {}?",
        "pick up {}",
        "{} please",
    ),
)
_SIDES = (
    (r"on the (left|right)$", ("on the {} side", "to the {}", "at the {}", "on the {} hand side", "on {}")),
    (r"^the (left|right)most ", ("the far {} ", "{}most ", "the {} most ")),
    (r"^(left|right) ", ("the {} ", "the {} hand ", "{} side ")),
)
REPHRASED, ASKED, REARTICLED = 0.4, 0.15, 0.25
"""Shares of the texts whose side is rephrased, that become a request, and whose article changes."""


def reword(expression: Expression, rng: np.random.Generator) -> Expression:
    """Return the expression in other words, or as it is."""
    text = expression.text
    for pattern, forms in _SIDES:
        if rng.random() < REPHRASED:
            form = pick(rng, forms)
            text = re.sub(pattern, form.replace("{}", r"\1"), text)
    text = _determiner(text, rng)
    if rng.random() < REARTICLED:  # never to "a", which hints at whether there is a target
        text = re.sub("^(the|an?) ", pick(rng, ("the ", "")), text)
    if rng.random() < ASKED and not text.startswith(PREFIXES) and len(text.split()) < 9:
        text = _asked(text, rng)
    return Expression(text, expression.targets)


def _determiner(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.1 and re.match(r"all (the )?\w", text):
        return re.sub(r"^all (the )?", rng.choice(["all of the ", "every one of the ", "each of the "]), text)
    if rng.random() < 0.3:
        return re.sub(r"^the two (?!leftmost|rightmost)", rng.choice(["both ", "both of the "]), text)
    return text


def _asked(text: str, rng: np.random.Generator) -> str:
    form = pick(rng, _REQUESTS)
    return form.format(text)
