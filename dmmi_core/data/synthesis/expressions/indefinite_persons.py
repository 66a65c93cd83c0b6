"""Expressions for persons by indefinite words: "everyone on the left", "somebody", "humans"."""

import re

import numpy as np

from dmmi_core.data.lexicon.names import SUPERCATEGORIES
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.expressions.basic import Expression, describe, visible
from dmmi_core.data.synthesis.expressions.relations import NEAR, gap
from dmmi_core.data.synthesis.random import pick

WHOEVER = (
    *("everyone", "everybody", "all persons", "all the persons", "all humans", "humans", "human"),
    *("anyone", "anybody", "someone", "somebody", "any people", "any person", "any humans"),
)
"""Words for all persons, whatever their number."""
PEDESTRIANS = ("pedestrians", "the pedestrians", "any pedestrians", "all pedestrians")
STREET = frozenset({"car", "bus", "truck", "traffic light", "stop sign", "parking meter"})
_CARRYING = SUPERCATEGORIES["vehicle"] | {
    "skateboard",
    "horse",
    "bench",
    "chair",
    "skis",
    "snowboard",
    "surfboard",
}
"""Categories that a person nearby may be on or in, and so does not walk."""
_UPRIGHT = 1.8
"""Ratio of the height to the width of a person's box, from which on the person stands or walks."""
_GROUP = re.compile(r"(?:the |all )people (on the (?:left|right)(?: side)?)")
_ALONE = re.compile(r"the person (on the (?:left|right))")


def by_pronoun(view: View, rng: np.random.Generator) -> list[Expression]:
    """Return true expressions for persons."""
    persons = view.members("person")
    if "person" not in view.complete or not visible(view, persons):
        return []
    found = [Expression(pick(rng, WHOEVER), persons)]
    form, words = (
        (_ALONE, ("someone", "somebody")) if len(persons) == 1 else (_GROUP, ("everyone", "everybody"))
    )
    for known in describe(view, "person", persons, rng):
        if place := form.fullmatch(known.text):
            found.append(Expression(f"{pick(rng, words)} {place[1]}", known.targets))
    if _all_walk(view, persons):
        found.append(Expression(pick(rng, PEDESTRIANS), persons))
    return found


def absent_persons(rng: np.random.Generator) -> list[Expression]:
    """Return an expression of the same form for a view without persons."""
    return [Expression(pick(rng, PEDESTRIANS if rng.random() < 0.2 else WHOEVER))]


def _all_walk(view: View, persons: tuple[int, ...]) -> bool:
    """Return whether the view is a street, and all persons are upright and apart from what may carry them."""
    if not view.complete >= STREET | _CARRYING or not any(item.category in STREET for item in view.objects):
        return False
    things = [item.box for item in view.objects if item.category in _CARRYING]
    boxes = [view.objects[i].box for i in persons]
    return all(
        box[3] - box[1] > _UPRIGHT * (box[2] - box[0]) and all(gap(box, thing) > NEAR for thing in things)
        for box in boxes
    )
