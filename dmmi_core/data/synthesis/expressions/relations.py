"""Expressions that relate objects to one of another category: "the person next to the dog"."""

import numpy as np

from dmmi_core.data.lexicon.names import plural
from dmmi_core.data.synthesis.affine_view import Box, View
from dmmi_core.data.synthesis.expressions.basic import MARGIN, Expression, visible
from dmmi_core.data.synthesis.random import pick

NEAR, AWAY, FAR_OFF = 0.04, 0.2, 0.3
"""Gaps between two boxes, as fractions of the view: up to NEAR they are neighbours, from AWAY on they are
not, and from FAR_OFF on nobody would call them so."""
NEARER = 0.12
"""Least difference of two gaps for one to be surely smaller."""
_NEXT_TO = ("next to", "beside", "near", "by", "close to")
_OPPOSITE = {"left": "right", "right": "left"}


def by_neighbour(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """Return true expressions for objects of a category by their relation to a landmark."""
    members = view.members(category)
    found = _between(view, category, rng)
    for other in _landmarks(view, category):
        (landmark,) = view.members(other)
        gaps = {i: gap(view.objects[i].box, view.objects[landmark].box) for i in members}
        found += [*_near_or_not(category, other, gaps, rng), *_nearest(category, other, gaps, rng)]
        for side in ("left", "right"):
            there = [i for i in members if beyond(view, i, landmark, side)]
            if len(there) == 1 and all(
                beyond(view, i, landmark, _OPPOSITE[side]) for i in members if i != there[0]
            ):
                found.append(Expression(f"the {category} to the {side} of the {other}", tuple(there)))
    return [e for e in found if visible(view, e.targets)]


def _near_or_not(
    category: str, other: str, gaps: dict[int, float], rng: np.random.Generator
) -> list[Expression]:
    """Return "the dogs next to the cup" and "the dog not near the cup", if each clearly is or is not."""
    near = tuple(i for i in gaps if gaps[i] < NEAR)
    away = tuple(i for i in gaps if gaps[i] > AWAY)
    if not near or len(near) + len(away) < len(gaps):
        return []
    found = [Expression(f"the {_noun(category, near)} {pick(rng, _NEXT_TO)} the {other}", near)]
    if away:
        found.append(Expression(_negated(category, other, away, rng), away))
    return found


def _negated(category: str, other: str, targets: tuple[int, ...], rng: np.random.Generator) -> str:
    clause = "that is " if len(targets) == 1 else "that are "
    relation = pick(rng, ("not next to", "not near", "not beside", "not close to"))
    return f"the {_noun(category, targets)} {pick(rng, ('', clause))}{relation} the {other}"


def _noun(category: str, targets: tuple[int, ...]) -> str:
    return category if len(targets) == 1 else plural(category)


def _nearest(category: str, other: str, gaps: dict[int, float], rng: np.random.Generator) -> list[Expression]:
    order = sorted(gaps, key=lambda i: gaps[i])
    if len(order) < 2:
        return []
    found = []
    if gaps[order[1]] - gaps[order[0]] > NEARER:
        relation = pick(rng, ("closest to", "nearest to", "nearest"))
        found.append(Expression(f"the {category} {relation} the {other}", (order[0],)))
    if gaps[order[-1]] - gaps[order[-2]] > NEARER:
        relation = pick(rng, ("farthest from", "furthest from", "farthest away from"))
        found.append(Expression(f"the {category} {relation} the {other}", (order[-1],)))
    return found


def _between(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """Return "the dog between the two cups", if it is at their height and all others are clearly outside."""
    members, found = view.members(category), []
    for other in sorted(view.complete - {category}):
        pair = sorted(view.members(other), key=lambda i: view.objects[i].centre[0])
        if len(pair) != 2 or not all(visible(view, [i]) for i in pair):
            continue
        first, last = pair
        outside = [i for i in members if beyond(view, i, first, "left") or beyond(view, i, last, "right")]
        inside = [
            i
            for i in members
            if beyond(view, i, first, "right")
            and beyond(view, i, last, "left")
            and all(_level(view, i, landmark) for landmark in pair)
        ]
        if len(inside) == 1 and len(outside) == len(members) - 1:
            relation = pick(rng, ("between the two", "between the", "in between the two"))
            found.append(Expression(f"the {category} {relation} {plural(other)}", tuple(inside)))
    return found


def _level(view: View, index: int, other: int) -> bool:
    """Return whether the middle of one object is at the height of another."""
    _, top, _, bottom = view.objects[other].box
    return top < view.objects[index].centre[1] < bottom


def false_neighbours(
    view: View, category: str, missing: list[str], rng: np.random.Generator
) -> list[Expression]:
    """Return false expressions for present objects.

    They are said to be next to something far off or `missing`, not next to something near, or on the wrong
    side of a landmark.
    """
    found = [Expression(f"the {category} {pick(rng, _NEXT_TO)} the {other}") for other in missing]
    members = view.members(category)
    for other in _landmarks(view, category) if members else ():
        (landmark,) = view.members(other)
        gaps = [gap(view.objects[i].box, view.objects[landmark].box) for i in members]
        if min(gaps) > FAR_OFF:
            found.append(Expression(f"the {category} {pick(rng, ('next to', 'beside'))} the {other}"))
        if max(gaps) < NEAR and rng.random() < 0.3:  # more often would teach that "not" means no target
            found.append(Expression(_negated(category, other, members, rng)))
        for side, opposite in _OPPOSITE.items():
            if all(beyond(view, i, landmark, opposite) for i in members):
                found.append(Expression(f"the {category} to the {side} of the {other}"))
    return found


def _landmarks(view: View, category: str) -> list[str]:
    """Return the other categories that have a single, well visible object."""
    return [
        other
        for other in sorted(view.complete - {category})
        if len(members := view.members(other)) == 1 and visible(view, members)
    ]


def gap(a: Box, b: Box) -> float:
    """Return the distance between two boxes; 0 if they overlap."""
    across = max(a[0] - b[2], b[0] - a[2], 0)
    down = max(a[1] - b[3], b[1] - a[3], 0)
    return float(np.hypot(across, down))


def beyond(view: View, index: int, landmark: int, side: str) -> bool:
    """Return whether an object is clearly to one side of another."""
    a, b = view.objects[index].box, view.objects[landmark].box
    apart = b[0] - a[2] if side == "left" else a[0] - b[2]
    return apart > 0 and abs(view.objects[index].centre[0] - view.objects[landmark].centre[0]) > MARGIN
