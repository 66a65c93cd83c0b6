"""Telling objects apart by finer places: order, height, corners, depth."""

from collections.abc import Sequence

import numpy as np

from dmmi_core.data.scenes import View
from dmmi_core.data.templates.chance import pick
from dmmi_core.data.templates.expressions import MARGIN, RATIO, Expression, visible
from dmmi_core.data.templates.nouns import plural

FAR = 0.12
"""Difference in height, as a fraction of the view, from which one object is surely above another."""
CENTRE = 0.1
"""Distance from the middle of the view within which an object is in the middle."""
STANDING = {
    *(
        "person",
        "bicycle",
        "car",
        "motorcycle",
        "bus",
        "truck",
        "bench",
        "cat",
        "dog",
        "horse",
        "sheep",
        "cow",
    ),
    *("elephant", "bear", "zebra", "giraffe", "chair", "couch", "suitcase", "fire hydrant", "parking meter"),
}
"""Categories that stand on the ground: the lower they reach in the picture, the nearer they are."""
_ORDINALS = ("second", "third")


def by_place(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """True expressions for some of `members`, which are all the objects that the noun fits."""
    if len(members) == 1:
        found = _alone(view, noun, members[0], rng)
    else:
        found = [
            *_ordered(view, noun, members, rng),
            *_by_height(view, noun, members, rng),
            *_by_depth(view, noun, members, rng),
            *_by_corner(view, noun, members, rng),
        ]
    return [e for e in found if visible(view, e.targets)]


def _alone(view: View, noun: str, index: int, rng: np.random.Generator) -> list[Expression]:
    x, y = view.objects[index].centre
    found = []
    if max(abs(x - 0.5), abs(y - 0.5)) < CENTRE:
        found += _one(rng, index, f"the {noun} in the middle", f"the {noun} in the center", f"middle {noun}")
    height = _height_of(y)
    if height:
        found += _one(rng, index, f"the {noun} at the {height}", f"{height} {noun}")
    corner = _corner_of(x, y)
    if corner:
        found += _one(rng, index, f"the {noun} in the {corner}", f"{corner} {noun}")
    return found


def _ordered(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    order = sorted(members, key=lambda i: view.objects[i].centre[0])
    x = np.array([view.objects[i].centre[0] for i in order])
    gaps = np.diff(x)
    found = []
    for side, line, steps in (("left", order, gaps), ("right", order[::-1], gaps[::-1])):
        for place, word in enumerate(_ORDINALS, start=1):
            if place < len(line) - 1 and steps[: place + 1].min() > MARGIN:
                found += _one(
                    rng,
                    line[place],
                    f"the {word} {noun} from the {side}",
                    f"{word} {noun} from {side}",
                    f"{noun} {word} from the {side}",
                )
        if len(line) > 2 and steps[1] > 1.5 * MARGIN and steps[1] > steps[0]:
            many = plural(noun)
            texts = (
                f"the two {many} on the {side}",
                f"two {many} on the far {side}",
                f"the two {side}most {many}",
            )
            found.append(Expression(pick(rng, texts), tuple(line[:2])))
        if steps[0] > MARGIN and len(line) > 2:
            found += _one(rng, line[0], f"the {noun} on the far {side}", f"first {noun} from the {side}")
            others = f"all the {plural(noun)} except the one on the {side}"
            found.append(Expression(others, tuple(line[1:])))
    if len(order) % 2 and gaps.min() > MARGIN:
        found += _one(rng, order[len(order) // 2], f"{noun} in the center", f"the center {noun}")
    return found


def _by_height(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    order = sorted(members, key=lambda i: view.objects[i].centre[1])
    y = [view.objects[i].centre[1] for i in order]
    found = []
    if y[1] - y[0] > FAR:
        found += _one(rng, order[0], f"the top {noun}", f"the {noun} at the top", f"the uppermost {noun}")
    if y[-1] - y[-2] > FAR:
        found += _one(rng, order[-1], f"the bottom {noun}", f"the {noun} at the bottom", f"the lowest {noun}")
    return found


def _by_depth(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    if view.objects[members[0]].category not in STANDING:
        return []
    order = sorted(members, key=lambda i: view.objects[i].box[3], reverse=True)
    feet = [view.objects[i].box[3] for i in order]
    area = [view.objects[i].area for i in order]
    found = []
    if feet[0] - feet[1] > MARGIN and area[0] > RATIO * max(area[1:]):
        found += _one(
            rng,
            order[0],
            f"the closest {noun}",
            f"the {noun} in front",
            f"the nearest {noun}",
            f"the {noun} closest to the camera",
            f"{noun} in the foreground",
        )
    if feet[-2] - feet[-1] > MARGIN and area[-1] * RATIO < min(area[:-1]):
        found += _one(
            rng, order[-1], f"the {noun} in the back", f"the farthest {noun}", f"{noun} in the background"
        )
    return found


def _by_corner(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """Of what is in a corner, where no other is in the same quarter of the view."""
    found = []
    for index in members:
        x, y = view.objects[index].centre
        corner = _corner_of(x, y)
        others = (view.objects[i].centre for i in members if i != index)
        if corner and all((x - 0.5) * (a - 0.5) < 0 or (y - 0.5) * (b - 0.5) < 0 for a, b in others):
            found += _one(rng, index, f"the {noun} in the {corner}", f"{corner} {noun}")
    return found


def _height_of(y: float) -> str | None:
    return "top" if y < 0.3 else "bottom" if y > 0.7 else None


def _corner_of(x: float, y: float) -> str | None:
    height = _height_of(y)
    side = "left" if x < 0.3 else "right" if x > 0.7 else None
    return f"{height} {side}" if height and side else None


def _one(rng: np.random.Generator, index: int, *texts: str) -> list[Expression]:
    return [Expression(pick(rng, texts), (index,))]
