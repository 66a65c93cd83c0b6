"""A noun and nothing else: "cat" or "cats", of one or of several, as people type it."""

import numpy as np

from dmmi_core.data.scenes import View
from dmmi_core.data.templates.chance import pick
from dmmi_core.data.templates.expressions import Expression, visible
from dmmi_core.data.templates.nouns import VAGUE, names, plural


def bare_noun(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """All objects of a category, whatever the number of the noun; of a name that fits no others."""
    members = view.members(category)
    if category not in view.complete or not visible(view, members):
        return []
    noun = pick(rng, [name for name in names(category) if name not in VAGUE])
    return [Expression(noun if rng.random() < 0.5 else plural(noun), members)]
