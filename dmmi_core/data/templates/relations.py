"""Telling objects apart by one of another kind: "the person next to the dog"."""

import numpy as np

from dmmi_core.data.scenes import View
from dmmi_core.data.templates.chance import pick
from dmmi_core.data.templates.expressions import MARGIN, Expression, visible

NEAR, AWAY = 0.04, 0.2
"""Gap between two boxes, as a fraction of the view, up to which they are neighbours, and from which not."""
_NEXT_TO = ("next to", "beside", "near", "by", "close to")


def by_neighbour(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    members = view.members(category)
    found = []
    for other in _landmarks(view, category):
        (landmark,) = view.members(other)
        gaps = {i: gap(view.objects[i].box, view.objects[landmark].box) for i in members}
        near = [i for i in members if gaps[i] < NEAR]
        if len(near) == 1 and all(gaps[i] > AWAY for i in members if i not in near):
            found.append(Expression(f"the {category} {pick(rng, _NEXT_TO)} the {other}", tuple(near)))
        for side in ("left", "right"):
            there = [i for i in members if beyond(view, i, landmark, side)]
            if len(there) == 1 and all(
                beyond(view, i, landmark, _OPPOSITE[side]) for i in members if i != there[0]
            ):
                found.append(Expression(f"the {category} to the {side} of the {other}", tuple(there)))
    return [e for e in found if visible(view, e.targets)]


_OPPOSITE = {"left": "right", "right": "left"}


def false_neighbours(
    view: View, category: str, missing: list[str], rng: np.random.Generator
) -> list[Expression]:
    """Of objects that are there: on the wrong side of a landmark, or next to a `missing` one."""
    found = [Expression(f"the {category} {pick(rng, _NEXT_TO)} the {other}") for other in missing]
    members = view.members(category)
    for other in _landmarks(view, category):
        (landmark,) = view.members(other)
        for side, opposite in _OPPOSITE.items():
            if members and all(beyond(view, i, landmark, opposite) for i in members):
                found.append(Expression(f"the {category} to the {side} of the {other}"))
    return found


def _landmarks(view: View, category: str) -> list[str]:
    """Other categories with a single object, which is well visible."""
    return [
        other
        for other in sorted(view.complete - {category})
        if len(members := view.members(other)) == 1 and visible(view, members)
    ]


def gap(a: tuple, b: tuple) -> float:
    """Between two boxes (left, top, right, bottom); 0 where they overlap."""
    across = max(a[0] - b[2], b[0] - a[2], 0)
    down = max(a[1] - b[3], b[1] - a[3], 0)
    return float(np.hypot(across, down))


def beyond(view: View, index: int, landmark: int, side: str) -> bool:
    """Whether an object is clearly to one side of another."""
    a, b = view.objects[index].box, view.objects[landmark].box
    apart = b[0] - a[2] if side == "left" else a[0] - b[2]
    return apart > 0 and abs(view.objects[index].centre[0] - view.objects[landmark].centre[0]) > MARGIN
