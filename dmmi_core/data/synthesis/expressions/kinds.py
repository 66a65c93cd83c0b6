"""Several kinds of things by one word: "any animals", "something to eat", "anything to sit on"."""

import numpy as np

from dmmi_core.data.lexicon.names import COUNTED, WHOLES
from dmmi_core.data.synthesis.expressions.basic import Expression, absent_expression, visible
from dmmi_core.data.synthesis.random import pick
from dmmi_core.data.synthesis.view import View

SUMS = {
    "animal": ("any animal", "any animals", "every animal", "animal", "animals"),
    "vehicle": ("any vehicle", "any vehicles", "every vehicle", "vehicle", "vehicles"),
    "fruit": ("the fruit", "fruit", "all the fruit", "any fruit"),
    "food": ("the food", "food", "all the food", "any food", "anything to eat", "something to eat"),
    "seat": ("anything to sit on", "something to sit on", "a place to sit", "everything one can sit on"),
}
"""What means all of a kind, however many there are."""
UNLESS = {
    "animal": frozenset({"teddy bear"}),
    "food": frozenset({"bowl", "fork", "knife", "spoon"}),
    "seat": frozenset({"bed", "toilet"}),
}
"""What may also be meant, or be beside more of a kind than is annotated."""
HINTS = {
    "fruit": frozenset({"bowl", "cake", "dining table", "knife"}),
    "food": frozenset({"dining table", "oven", "cup", "wine glass", "refrigerator"}),
    "seat": frozenset({"dining table", "tv", "motorcycle", "bicycle", "train", "bus", "boat", "person"}),
}
"""The same where nothing of the kind is annotated."""


def by_kind(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """True expressions for all objects of each kind that the category is of."""
    found = [Expression(pick(rng, SUMS[kind]), whole(view, kind) or ()) for kind in kinds_of(category)]
    return [e for e in found if visible(view, e.targets)]


def absent_kinds(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """The same forms where there is nothing of a kind."""
    found = []
    for kind in kinds_of(category):
        if whole(view, kind) == () and _without_any(view, HINTS.get(kind, frozenset())):
            counted = kind in COUNTED and rng.random() < 0.5
            found.append(absent_expression(kind, rng) if counted else Expression(pick(rng, SUMS[kind])))
    return found


def kinds_of(category: str) -> list[str]:
    return [kind for kind, parts in WHOLES.items() if category in parts]


def whole(view: View, kind: str) -> tuple[int, ...] | None:
    """Indices of everything of a kind; None where there may be more of it than is known."""
    parts = WHOLES[kind]
    if not parts <= view.complete or not _without_any(view, UNLESS.get(kind, frozenset())):
        return None
    return tuple(i for i, item in enumerate(view.objects) if item.category in parts)


def _without_any(view: View, categories: frozenset[str]) -> bool:
    return all(view.lacks(category) for category in categories)
