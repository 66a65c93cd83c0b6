"""Expressions that tell objects apart by position: order, height, corners, depth."""

from collections.abc import Sequence

import numpy as np

from dmmi_core.data.lexicon.names import plural
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.expressions.basic import MARGIN, RATIO, Expression, visible
from dmmi_core.data.synthesis.random import pick

FAR = 0.12
"""Least vertical distance of two objects, as a fraction of the view, for one to be surely above the other."""
CENTRE = 0.1
"""Largest distance from the middle of the view, as a fraction, of an object "in the middle"."""
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
"""Categories that stand on the ground: the lower they reach in the image, the nearer they are."""
TALLER = 1.25
"""Least ratio of the heights of two persons on the same ground for one to be surely taller."""
CUT_OFF = 0.97
"""Position, as a fraction of the view's height, from which on feet may be cut off by its lower edge."""
_ORDINALS = {"second": "2nd", "third": "3rd", "fourth": "4th"}


def by_place(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """Return true expressions for some of `members`, which are all objects that the noun fits."""
    if len(members) == 1:
        found = _alone(view, noun, members[0], rng)
    else:
        found = [
            *_ordered(view, noun, members, rng),
            *_by_height(view, noun, members, rng),
            *_by_depth(view, noun, members, rng),
            *_by_corner(view, noun, members, rng),
            *_of_two(view, noun, members, rng),
            *_tallest(view, noun, members, rng),
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


def in_a_row(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """Return expressions such as "the second cup from the left".

    The object is not the last, and all up to the next one are well apart.
    """
    order = sorted(members, key=lambda i: view.objects[i].centre[0])
    gaps = np.diff([view.objects[i].centre[0] for i in order])
    found = []
    for side, line, steps in (("left", order, gaps), ("right", order[::-1], gaps[::-1])):
        for place, (word, figure) in enumerate(_ORDINALS.items(), start=1):
            if place < len(line) - 1 and steps[: place + 1].min() > MARGIN:
                found += _one(
                    rng,
                    line[place],
                    f"the {word} {noun} from the {side}",
                    f"{word} {noun} from {side}",
                    f"{noun} {word} from the {side}",
                    f"the {figure} {noun} from the {side}",
                )
    return [e for e in found if visible(view, e.targets)]


def _ordered(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    order = sorted(members, key=lambda i: view.objects[i].centre[0])
    x = np.array([view.objects[i].centre[0] for i in order])
    gaps = np.diff(x)
    found = in_a_row(view, noun, members, rng)
    for side, line, steps in (("left", order, gaps), ("right", order[::-1], gaps[::-1])):
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
        found += _one(
            rng,
            order[0],
            f"the top {noun}",
            f"the {noun} at the top",
            f"the uppermost {noun}",
            f"the {noun} on top",
        )
    if y[-1] - y[-2] > FAR:
        found += _one(rng, order[-1], f"the bottom {noun}", f"the {noun} at the bottom", f"the lowest {noun}")
    return found


def _of_two(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """Return expressions such as "the smaller cup" and "the left one of the two cups"."""
    if len(members) != 2:
        return []
    found, both = [], f"of the two {plural(noun)}"
    small, big = sorted(members, key=lambda i: view.objects[i].area)
    if view.objects[big].area > RATIO * view.objects[small].area:
        found += _one(rng, small, f"the smaller {noun}", f"the smaller one {both}", f"the smaller {both}")
        found += _one(rng, big, f"the bigger {noun}", f"the larger {noun}", f"the larger {both}")
    first, last = sorted(members, key=lambda i: view.objects[i].centre[0])
    if view.objects[last].centre[0] - view.objects[first].centre[0] > MARGIN:
        found += _one(rng, first, f"the left one {both}", f"the one on the left {both}")
        found += _one(rng, last, f"the right one {both}", f"the one on the right {both}")
    return found


def _tallest(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """Return the tallest and the shortest person, if their feet are equally far away."""
    boxes = [view.objects[i].box for i in members]
    feet = [box[3] for box in boxes]
    if view.objects[members[0]].category != "person" or max(feet) - min(feet) > MARGIN:
        return []
    order = sorted(members, key=lambda i: view.objects[i].box[3] - view.objects[i].box[1])
    height = [view.objects[i].box[3] - view.objects[i].box[1] for i in order]
    found = []
    if max(feet) < CUT_OFF and height[-1] > TALLER * height[-2]:
        found += _one(
            rng,
            order[-1],
            f"the tallest {noun}",
            f"the taller {noun}" if len(order) == 2 else f"tallest {noun}",
        )
    if max(feet) < CUT_OFF and height[0] * TALLER < height[1]:
        found += _one(
            rng,
            order[0],
            f"the shortest {noun}",
            f"the shorter {noun}" if len(order) == 2 else f"shortest {noun}",
        )
    return found


def missing_places(noun: str, count: int, rng: np.random.Generator) -> list[Expression]:
    """Return a false expression such as "the third cup from the left" of two cups."""
    places = list(_ORDINALS.items())[count - 1 : count + 1]  # nobody asks for what is far beyond the last
    words = [word for pair in places for word in pair]
    if not words:
        return []
    word, side = pick(rng, words), pick(rng, ("left", "right"))
    return [Expression(f"the {word} {noun} from the {side}")]


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
    """Return expressions for an object in a corner, if no other is in the same quarter of the view."""
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
