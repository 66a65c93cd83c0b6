"""Bare nouns as people type them: "cat" or "cats", for one object or several."""

import numpy as np

from dmmi_core.data.lexicon.names import VAGUE, names, plural
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.expressions.basic import Expression, visible
from dmmi_core.data.synthesis.random import pick


def bare_noun(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """Return a bare noun, singular or plural, for all objects of a category."""
    members = view.members(category)
    if category not in view.complete or not visible(view, members):
        return []
    noun = pick(rng, [name for name in names(category) if name not in VAGUE])
    return [Expression(noun if rng.random() < 0.5 else plural(noun), members)]
