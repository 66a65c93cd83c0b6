"""A noun and nothing else: "cat" or "cats", of one or of several, as people type it."""

import numpy as np

from dmmi_core.data.lexicon.names import VAGUE, names, plural
from dmmi_core.data.synthesis.expressions.basic import Expression, visible
from dmmi_core.data.synthesis.random import pick
from dmmi_core.data.synthesis.view import View


def bare_noun(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """All objects of a category, whatever the number of the noun; of a name that fits no others."""
    members = view.members(category)
    if category not in view.complete or not visible(view, members):
        return []
    noun = pick(rng, [name for name in names(category) if name not in VAGUE])
    return [Expression(noun if rng.random() < 0.5 else plural(noun), members)]
