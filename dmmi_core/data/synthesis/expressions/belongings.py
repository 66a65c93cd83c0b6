"""Expressions that tell persons apart by their belongings: "the person with the umbrella"."""

from collections.abc import Sequence

import numpy as np

from dmmi_core.data.lexicon.names import article, plural
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.expressions.basic import Expression, visible
from dmmi_core.data.synthesis.expressions.relations import NEAR, gap
from dmmi_core.data.synthesis.random import pick

MIN_INSIDE = 0.7
"""Least share of a thing's box inside the box of the person who has it."""
MIN_INSIDE_OF = {"umbrella": 0.3}
"""Exceptions to `MIN_INSIDE`."""
CARRIED = ("with {}", "carrying {}")
HELD = ("with {}", "holding {}")
BELONGINGS = {
    **dict.fromkeys(("umbrella", "frisbee", "baseball bat", "tennis racket", "cell phone"), HELD),
    **dict.fromkeys(("toothbrush", "teddy bear"), HELD),
    **dict.fromkeys(("backpack", "handbag", "suitcase", "surfboard", "skateboard", "snowboard"), CARRIED),
    **{"tie": ("with {}", "wearing {}"), "baseball glove": ("with {}",), "skis": ("with {}",)},
}
"""Categories that a person may have, and the forms of saying so."""
IN_HANDS = frozenset(category for category, forms in BELONGINGS.items() if forms == HELD)
HOLDABLE = frozenset(BELONGINGS) | {
    *(
        "bottle",
        "wine glass",
        "cup",
        "fork",
        "knife",
        "spoon",
        "bowl",
        "banana",
        "apple",
        "sandwich",
        "orange",
    ),
    *("broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "laptop", "mouse", "remote", "keyboard"),
    *("book", "vase", "scissors", "hair drier", "sports ball", "kite", "bird", "cat", "dog", "clock"),
}
"""Categories that a hand may hold."""


def by_belonging(view: View, rng: np.random.Generator) -> list[Expression]:
    """Return true expressions for persons, if each surely has or surely lacks the thing."""
    persons, found, absent = view.members("person"), [], []
    for thing in sorted(BELONGINGS):
        having = holders(view, thing)
        if having:
            lacking = tuple(i for i in persons if i not in having)
            found += [_having(thing, having, rng), *([_without(thing, lacking, rng)] if lacking else [])]
        elif having == () and view.lacks(thing):
            absent.append(_without(thing, persons, rng))
    found += _empty_handed(view, rng)
    if absent and not found and rng.random() < 0.2:
        found.append(pick(rng, absent))
    return [e for e in found if visible(view, e.targets)]


def false_belongings(view: View, rng: np.random.Generator) -> list[Expression]:
    """Return false expressions for persons: with a thing that is absent, or without one that all have."""
    persons = view.members("person")
    having = {thing: holders(view, thing) for thing in sorted(BELONGINGS)}
    everybodys = [thing for thing, found in having.items() if found and found == persons]
    if everybodys and rng.random() < 0.6:
        return [Expression(_without(thing, persons[:1], rng).text) for thing in everybodys]
    return [
        Expression(_having(thing, persons[:1], rng).text)
        for thing, found in having.items()
        if found == () and view.lacks(thing)
    ]


def holders(view: View, thing: str) -> tuple[int, ...] | None:
    """Return the indices of the persons who have a thing, or None if that is not certain of all persons."""
    persons = view.members("person")
    if not {"person", thing} <= view.complete or not persons:
        return None
    having = set()
    for index in view.members(thing):
        box = view.objects[index].box
        close = [i for i in persons if gap(view.objects[i].box, box) < NEAR]
        if len(close) > 1 or (
            close and _inside(box, view.objects[close[0]].box) < MIN_INSIDE_OF.get(thing, MIN_INSIDE)
        ):
            return None
        having.update(close)
    return tuple(i for i in persons if i in having)


def _inside(box: Sequence[float], other: Sequence[float]) -> float:
    """Return the share of a box (left, top, right, bottom) that is inside another."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)


def _having(thing: str, targets: tuple[int, ...], rng: np.random.Generator) -> Expression:
    form = pick(rng, BELONGINGS[thing])
    if len(targets) > 1:
        return Expression(f"the people {form.format(plural(thing))}", targets)
    thing = thing if plural(thing) == thing else f"{pick(rng, (article(thing), 'the'))} {thing}"
    return Expression(f"the person {form.format(thing)}", targets)


def _without(thing: str, targets: tuple[int, ...], rng: np.random.Generator) -> Expression:
    alone = thing if plural(thing) == thing else f"{article(thing)} {thing}"
    worn = BELONGINGS[thing][-1].split()[0]
    texts = [f"without {alone}", f"with no {thing}", f"without {alone}"]
    if worn != "with":
        texts.append(f"not {worn} {alone}")
    return Expression(f"the {'person' if len(targets) == 1 else 'people'} {pick(rng, texts)}", targets)


def _empty_handed(view: View, rng: np.random.Generator) -> list[Expression]:
    """Return "the person not holding anything", if nothing is near and all others surely hold something."""
    if not view.complete >= HOLDABLE | {"person"}:
        return []
    persons = view.members("person")
    things = [item.box for item in view.objects if item.category in HOLDABLE]
    free = tuple(i for i in persons if all(gap(view.objects[i].box, box) > NEAR for box in things))
    having = {i for thing in sorted(IN_HANDS) for i in holders(view, thing) or ()}
    if not free or not having or len(free) + len(having) < len(persons):
        return []
    who = "person" if len(free) == 1 else "people"
    clause = "who is" if len(free) == 1 else "who are"
    how = pick(rng, ("not holding anything", f"{clause} not holding anything", "holding nothing"))
    return [Expression(f"the {who} {how}", free)]
