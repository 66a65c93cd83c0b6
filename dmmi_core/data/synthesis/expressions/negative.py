"""One-to-zero expressions: false of the whole image, and as close to true as possible."""

from collections.abc import Callable, Sequence

import numpy as np

from dmmi_core.data.lexicon.confusion import CONFUSED_NAMES
from dmmi_core.data.lexicon.names import VAGUE, names
from dmmi_core.data.synthesis.expressions.attributes import Name, by_colour, by_garment, by_person_word
from dmmi_core.data.synthesis.expressions.basic import Expression, absent_expression
from dmmi_core.data.synthesis.expressions.belongings import false_belongings
from dmmi_core.data.synthesis.expressions.indefinite_persons import absent_persons
from dmmi_core.data.synthesis.expressions.paraphrase import reword
from dmmi_core.data.synthesis.expressions.position import missing_places
from dmmi_core.data.synthesis.expressions.relations import false_neighbours
from dmmi_core.data.synthesis.expressions.supercategories import absent_supercategories
from dmmi_core.data.synthesis.images.colours import COLOURS
from dmmi_core.data.synthesis.images.composition import AnnotatedImage, contradicts
from dmmi_core.data.synthesis.random import pick, shuffled
from dmmi_core.data.synthesis.scenes import Phrase

CLEARLY = 0.62
"""Position, as a fraction of the view, from which on nobody would place an object on the other side."""
Family = Callable[[AnnotatedImage, str, Sequence[Phrase], np.random.Generator], list[Expression]]
"""A family of expressions: (image, category, captions about the category, generator) -> expressions."""


def negative_expression(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> Expression | None:
    """Return an expression about `category` that fits nothing, or None.

    `phrases` are captions about the category, of any images.
    """
    view = image.view
    if category not in view.complete:
        return None
    families = PRESENT if view.members(category) else ABSENT
    if families is ABSENT and any(view.members(other) for other in CONFUSED_NAMES.get(category, ())):
        return None
    for family in shuffled(families, rng):
        options = family(image, category, phrases, rng)
        if options:
            return reword(pick(rng, options), rng)
    return None


def _missing(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    certain = [name for name in names(category) if name not in VAGUE]
    noun = certain[rng.integers(len(certain)) if rng.random() < 0.4 else 0]
    if rng.random() < 0.12:
        noun = f"person in {_colour(rng)}" if category == "person" else f"{_colour(rng)} {noun}"
    return [absent_expression(noun, rng)]


def _colour(rng: np.random.Generator) -> str:
    return pick(rng, COLOURS)


def _other_captions(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    """Return a caption of another image that names a category that this image certainly lacks."""
    for index in rng.integers(len(phrases), size=10) if phrases else ():
        if contradicts(image.view, phrases[index]):
            return [Expression(phrases[index].text)]
    return []


def _missing_with(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    present = [other for other in sorted(image.view.complete) if image.view.members(other)]
    if not present:
        return []
    return [Expression(f"the {category} next to the {pick(rng, present)}")]


def _wrong_side(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    """Place a single object where it is not."""
    members = image.view.members(category)
    if len(members) != 1:
        return []
    left, top, right, bottom = image.view.objects[members[0]].box
    (x, y), found = image.view.objects[members[0]].centre, []
    if x > CLEARLY and left > 0.4:
        found += [f"the {category} on the left", f"left {category}", f"{category} on the left side"]
    if x < 1 - CLEARLY and right < 0.6:
        found += [f"the {category} on the right", f"right {category}", f"{category} on the right side"]
    if y > CLEARLY and top > 0.4:
        found += [f"the {category} at the top", f"top {category}"]
    if y < 1 - CLEARLY and bottom < 0.6:
        found += [f"the {category} at the bottom", f"bottom {category}"]
    return [Expression(text) for text in found]


def _untrue(names: list[Name], rng: np.random.Generator) -> list[Expression]:
    nouns = [named.noun for named in names if not named.members]
    return [absent_expression(pick(rng, nouns), rng)] if nouns else []


def _wrong_colour(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    return _untrue(by_colour(image, category), rng)


def _wrong_garment(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    return _untrue(by_garment(image, category, rng), rng)


def _wrong_word(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    return _untrue(by_person_word(image, category), rng)


def _wrong_neighbour(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    lacking = [other for other in sorted(image.view.complete) if image.view.lacks(other)]
    return false_neighbours(image.view, category, rng.permutation(lacking)[:2].tolist(), rng)


def _missing_supercategory(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    return absent_supercategories(image.view, category, rng)


def _nobody(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    return absent_persons(rng) if category == "person" else []


def _wrong_belonging(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    return false_belongings(image.view, rng) if category == "person" else []


def _wrong_order(
    image: AnnotatedImage, category: str, phrases: Sequence[Phrase], rng: np.random.Generator
) -> list[Expression]:
    """Ask for an ordinal beyond the last object.

    No other wrong number is used: "the three dogs" may well mean the two.
    """
    return missing_places(category, len(image.view.members(category)), rng)


ABSENT: dict[Family, float] = {
    _missing: 5,
    _other_captions: 1.2,
    _missing_with: 0.4,
    _missing_supercategory: 0.5,
    _nobody: 1,
}
PRESENT: dict[Family, float] = {
    _other_captions: 1.2,
    _wrong_side: 3,
    _wrong_colour: 3,
    _wrong_garment: 4,
    _wrong_word: 2.5,
    _wrong_neighbour: 1.2,
    _wrong_belonging: 0.7,
    _wrong_order: 0.2,
}
"""Weights with which the families are tried first, for absent and for present categories."""
