"""Basic referring expressions from annotated objects: category, count, position, size, plural.

Every expression is true of its view as far as the annotations tell: it counts, compares or denies only within
categories whose objects are all listed. Expressions are generated after augmentation, so that left and right
are as seen in a mirrored image.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dmmi_core.data.lexicon.names import article, plural
from dmmi_core.data.samples import kind_of
from dmmi_core.data.synthesis.affine_view import View, ViewedObject
from dmmi_core.data.synthesis.random import pick

MIN_AREA = 0.003
"""Least area of the targets of an expression together, as a fraction of the view."""
MARGIN = 0.08
"""Least distance of two objects, as a fraction of the view, for one to be surely left of the other."""
RATIO = 1.7
"""Least ratio of two areas for one object to be surely bigger."""

_COUNTS = ("zero", "one", "two", "three", "four", "five", "six")
PREFIXES = ("find", "show me", "point at", "segment", "look at", "select")


@dataclass(frozen=True)
class Expression:
    """A text and its targets, indices of a view's objects; none for a one-to-zero expression."""

    text: str
    targets: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        return kind_of(len(self.targets))


def referring_expressions(view: View, category: str, rng: np.random.Generator) -> list[Expression]:
    """Return true expressions for objects of `category`, one for each way to tell them apart.

    All targets are big enough to see.
    """
    members = view.members(category)
    return describe(view, category, members, rng) if category in view.complete and members else []


def describe(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    """Return true expressions as `referring_expressions`, for a noun and all objects that it fits."""
    found = [*_all_of_them(noun, members, rng), *_by_position(view, noun, members, rng)]
    if len(members) > 1:
        found += _by_size(view, noun, members, rng)
    return [e for e in found if visible(view, e.targets)]


def pair_expression(view: View, first: str, second: str, rng: np.random.Generator) -> Expression | None:
    """Return an expression for all objects of two categories, such as "the dogs and the cat", or None."""
    targets: list[int] = []
    phrases = []
    for category in (first, second):
        members = view.members(category)
        if category not in view.complete or not visible(view, members):
            return None
        targets += members
        phrases.append(f"the {category if len(members) == 1 else plural(category)}")
    return Expression(_spoken(" and ".join(phrases), rng), tuple(targets))


def absent_expression(noun: str, rng: np.random.Generator) -> Expression:
    """Return an expression of the same forms for something that the view certainly lacks."""
    many = plural(noun)
    count = pick(rng, _COUNTS[2:5])
    side = pick(rng, ("left", "right"))
    either = pick(rng, (noun, many))
    forms = (
        lambda: _singular(noun, rng),
        lambda: _plural_form(noun, count, rng),
        lambda: pick(rng, _side_forms(either, side)),
        lambda: f"the {pick(rng, ('biggest', 'largest', 'smallest'))} {noun}",
    )
    weights = (0.4, 0.3, 0.2, 0.1)
    return Expression(_spoken(forms[rng.choice(len(forms), p=weights)](), rng))


def _all_of_them(noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    if len(members) == 1:
        return [Expression(_spoken(_singular(noun, rng), rng), tuple(members))]
    count = _COUNTS[len(members)] if len(members) < len(_COUNTS) else None
    return [Expression(_spoken(_plural_form(noun, count, rng), rng), tuple(members))]


def _by_position(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    x = {i: view.objects[i].centre[0] for i in members}
    order = sorted(members, key=lambda i: x[i])
    if len(members) == 1:
        side = _side_of(x[order[0]])
        return [_sided(noun, side, order, rng)] if side else []
    found = []
    if x[order[1]] - x[order[0]] > MARGIN and x[order[0]] < 0.5:
        found.append(_sided(noun, "left", order[:1], rng))
    if x[order[-1]] - x[order[-2]] > MARGIN and x[order[-1]] > 0.5:
        found.append(_sided(noun, "right", order[-1:], rng))
    if len(order) == 3 and min(x[order[1]] - x[order[0]], x[order[2]] - x[order[1]]) > MARGIN:
        text = pick(rng, (f"the {noun} in the middle", f"the middle {noun}"))
        found.append(Expression(_spoken(text, rng), (order[1],)))
    return found + _groups_by_side(noun, order, x, rng)


def _groups_by_side(
    noun: str, order: list[int], x: dict[int, float], rng: np.random.Generator
) -> list[Expression]:
    """Return expressions such as "the two cups on the left", if a gap parts them from those on the right."""
    sides = {"left": [i for i in order if _side_of(x[i]) == "left"]}
    sides["right"] = [i for i in order if _side_of(x[i]) == "right"]
    if len(sides["left"]) + len(sides["right"]) < len(order) or not all(sides.values()):
        return []
    return [_sided(noun, side, group, rng) for side, group in sides.items() if len(group) > 1]


def _by_size(view: View, noun: str, members: Sequence[int], rng: np.random.Generator) -> list[Expression]:
    order = sorted(members, key=lambda i: view.objects[i].area)
    area = [view.objects[i].area for i in order]
    found = []
    if area[-1] > RATIO * area[-2]:
        found.append(
            Expression(_spoken(f"the {pick(rng, ('biggest', 'largest'))} {noun}", rng), (order[-1],))
        )
    if area[0] * RATIO < area[1]:
        found.append(Expression(_spoken(f"the smallest {noun}", rng), (order[0],)))
    return found


def _sided(noun: str, side: str, targets: list[int], rng: np.random.Generator) -> Expression:
    forms: tuple[str, ...]
    if len(targets) == 1:
        forms = _side_forms(noun, side)
    else:
        many = plural(noun)
        forms = (f"the {many} on the {side}", f"all {many} on the {side}", f"{many} on the {side} side")
        if len(targets) < len(_COUNTS):
            forms += (f"the {_COUNTS[len(targets)]} {many} on the {side}",)
    return Expression(_spoken(pick(rng, forms), rng), tuple(targets))


def _side_forms(noun: str, side: str) -> tuple[str, ...]:
    return (
        f"the {noun} on the {side}",
        f"the {side}most {noun}",
        f"{noun} on the {side} side",
        f"{side} {noun}",
    )


def _side_of(x: float) -> str | None:
    return "left" if x < 0.5 - MARGIN / 2 else "right" if x > 0.5 + MARGIN / 2 else None


def _singular(noun: str, rng: np.random.Generator) -> str:
    return pick(rng, (f"the {noun}", f"the {noun}", noun, f"{article(noun)} {noun}"))


def _plural_form(noun: str, count: str | None, rng: np.random.Generator) -> str:
    many = plural(noun)
    forms: tuple[str, ...] = (f"the {many}", many, f"all {many}", f"all the {many}", f"every {noun}")
    if count:
        forms += (f"the {count} {many}", f"{count} {many}", f"the {count} {many}")
    return pick(rng, forms)


def _spoken(text: str, rng: np.random.Generator) -> str:
    """Return the text, now and then with the opening of a command."""
    return f"{pick(rng, PREFIXES)} {text}" if rng.random() < 0.1 else text


def visible(view: View, targets: Sequence[int]) -> bool:
    """Return whether the targets are big enough to see, and have masks if the view needs them."""
    items: list[ViewedObject] = [view.objects[i] for i in targets]
    if view.masks_only and any(item.mask is None for item in items):
        return False
    return bool(items) and sum(item.area for item in items) >= MIN_AREA


def categories_in(view: View) -> dict[str, list[int]]:
    """Return the indices of the objects of each complete category that is present."""
    members = defaultdict(list)
    for index, item in enumerate(view.objects):
        if item.category in view.complete:
            members[item.category].append(index)
    return dict(members)
