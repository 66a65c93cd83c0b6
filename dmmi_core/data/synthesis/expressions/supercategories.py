"""Expressions for whole supercategories: "any animals", "something to eat", "anything to sit on"."""

import numpy as np

from dmmi_core.data.lexicon.names import COUNTED, SUPERCATEGORIES
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.expressions.basic import Expression, absent_expression, visible
from dmmi_core.data.synthesis.random import pick

WORDINGS = {
    "animal": ("any animal", "any animals", "every animal", "animal", "animals"),
    "vehicle": ("any vehicle", "any vehicles", "every vehicle", "vehicle", "vehicles"),
    "fruit": ("the fruit", "fruit", "all the fruit", "any fruit"),
    "food": ("the food", "food", "all the food", "any food", "anything to eat", "something to eat"),
    "seat": ("anything to sit on", "something to sit on", "a place to sit", "everything one can sit on"),
}
"""Expressions for all objects of a supercategory, whatever their number."""
UNLESS = {
    "animal": frozenset({"teddy bear"}),
    "food": frozenset({"bowl", "fork", "knife", "spoon"}),
    "seat": frozenset({"bed", "toilet"}),
}
"""Categories that make a supercategory unclear: they may be meant too, or hint at unlabelled objects."""
HINTS = {
    "fruit": frozenset({"bowl", "cake", "dining table", "knife"}),
    "food": frozenset({"dining table", "oven", "cup", "wine glass", "refrigerator"}),
    "seat": frozenset({"dining table", "tv", "motorcycle", "bicycle", "train", "bus", "boat", "person"}),
}
"""Further categories that hint at unlabelled objects, if nothing of the supercategory is annotated."""


def by_supercategory(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """Return true expressions for all objects of each supercategory of a category."""
    found = [
        Expression(pick(rng, WORDINGS[group]), members_of(view, group) or ())
        for group in supercategories_of(category)
    ]
    return [e for e in found if visible(view, e.targets)]


def absent_supercategories(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """Return the same expressions for the supercategories that certainly have no object."""
    found = []
    for group in supercategories_of(category):
        if members_of(view, group) == () and _without_any(view, HINTS.get(group, frozenset())):
            counted = group in COUNTED and rng.random() < 0.5
            found.append(absent_expression(group, rng) if counted else Expression(pick(rng, WORDINGS[group])))
    return found


def supercategories_of(category: str) -> list[str]:
    return [group for group, parts in SUPERCATEGORIES.items() if category in parts]


def members_of(view: View, group: str) -> tuple[int, ...] | None:
    """Return the indices of the objects of a supercategory, or None if there may be unknown ones."""
    parts = SUPERCATEGORIES[group]
    if not parts <= view.complete or not _without_any(view, UNLESS.get(group, frozenset())):
        return None
    return tuple(i for i, item in enumerate(view.objects) if item.category in parts)


def _without_any(view: View, categories: frozenset[str]) -> bool:
    return all(view.lacks(category) for category in categories)
