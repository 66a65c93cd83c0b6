"""One-to-zero texts: true of nothing in the picture, and as near to something as can be."""

from collections.abc import Sequence

import numpy as np

from dmmi_core.data.lexicon.confusion import CONFUSED_NAMES
from dmmi_core.data.lexicon.names import VAGUE, names
from dmmi_core.data.synthesis.expressions.attributes import Named, by_colour, by_garment, by_person_word
from dmmi_core.data.synthesis.expressions.basic import Expression, absent_expression
from dmmi_core.data.synthesis.expressions.belongings import false_belongings
from dmmi_core.data.synthesis.expressions.kinds import absent_kinds
from dmmi_core.data.synthesis.expressions.paraphrase import reword
from dmmi_core.data.synthesis.expressions.position import missing_places
from dmmi_core.data.synthesis.expressions.pronouns import absent_persons
from dmmi_core.data.synthesis.expressions.relations import false_neighbours
from dmmi_core.data.synthesis.images.colours import COLOURS
from dmmi_core.data.synthesis.images.composition import Picture, contradicts
from dmmi_core.data.synthesis.random import pick, shuffled
from dmmi_core.data.synthesis.scenes import Phrase

CLEARLY = 0.62
"""From where, as a fraction of the view, an object is not on the other side by any reading."""


def deny(
    picture: Picture, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> Expression | None:
    """A text about `category` that fits nothing; `phrases` are captions about it, of any photographs."""
    view = picture.view
    if category not in view.complete:
        return None
    families = PRESENT if view.members(category) else ABSENT
    if families is ABSENT and any(view.members(other) for other in CONFUSED_NAMES.get(category, ())):
        return None
    for family in shuffled(families, rng):
        options = family(picture, category, phrases, rng)
        if options:
            return reword(pick(rng, options), rng)
    return None


def _missing(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    certain = [name for name in names(category) if name not in VAGUE]
    noun = certain[rng.integers(len(certain)) if rng.random() < 0.4 else 0]
    if rng.random() < 0.12:
        noun = f"person in {_colour(rng)}" if category == "person" else f"{_colour(rng)} {noun}"
    return [absent_expression(noun, rng)]


def _colour(rng: np.random.Generator) -> str:
    return pick(rng, COLOURS)


def _other_captions(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    """A caption of another photograph that names what this one is known to lack."""
    for index in rng.integers(len(phrases), size=10) if phrases else ():
        if contradicts(picture.view, phrases[index]):
            return [Expression(phrases[index].text)]
    return []


def _missing_with(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    there = [other for other in sorted(picture.view.complete) if picture.view.members(other)]
    if not there:
        return []
    return [Expression(f"the {category} next to the {pick(rng, there)}")]


def _wrong_side(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    """A single object, said to be where it is not."""
    members = picture.view.members(category)
    if len(members) != 1:
        return []
    left, top, right, bottom = picture.view.objects[members[0]].box
    (x, y), found = picture.view.objects[members[0]].centre, []
    if x > CLEARLY and left > 0.4:
        found += [f"the {category} on the left", f"left {category}", f"{category} on the left side"]
    if x < 1 - CLEARLY and right < 0.6:
        found += [f"the {category} on the right", f"right {category}", f"{category} on the right side"]
    if y > CLEARLY and top > 0.4:
        found += [f"the {category} at the top", f"top {category}"]
    if y < 1 - CLEARLY and bottom < 0.6:
        found += [f"the {category} at the bottom", f"bottom {category}"]
    return [Expression(text) for text in found]


def _untrue(names: list[Named], rng: np.random.Generator) -> list[Expression]:
    nouns = [named.noun for named in names if not named.members]
    return [absent_expression(pick(rng, nouns), rng)] if nouns else []


def _wrong_colour(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    return _untrue(by_colour(picture, category), rng)


def _wrong_garment(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    return _untrue(by_garment(picture, category, rng), rng)


def _wrong_word(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    return _untrue(by_person_word(picture, category), rng)


def _wrong_neighbour(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    lacking = [other for other in sorted(picture.view.complete) if picture.view.lacks(other)]
    return false_neighbours(picture.view, category, rng.permutation(lacking)[:2].tolist(), rng)


def _missing_kind(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    return absent_kinds(picture.view, category, rng)


def _nobody(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    return absent_persons(rng) if category == "person" else []


def _wrong_belonging(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    return false_belongings(picture.view, rng) if category == "person" else []


def _wrong_order(picture: Picture, category: str, phrases, rng: np.random.Generator) -> list[Expression]:
    """Of more in a row than there are. No other wrong number: "the three dogs" may well mean the two."""
    return missing_places(category, len(picture.view.members(category)), rng)


ABSENT = {_missing: 5, _other_captions: 1.2, _missing_with: 0.4, _missing_kind: 0.5, _nobody: 1}
PRESENT = {
    _other_captions: 1.2,
    _wrong_side: 3,
    _wrong_colour: 3,
    _wrong_garment: 4,
    _wrong_word: 2.5,
    _wrong_neighbour: 1.2,
    _wrong_belonging: 0.7,
    _wrong_order: 0.2,
}
"""How often each is tried first, for categories that are not there and that are."""
