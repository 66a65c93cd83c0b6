"""Expressions that are true of objects in an image, of all families."""

from collections.abc import Callable

import numpy as np

from dmmi_core.data.synthesis.expressions.attributes import (
    Name,
    by_colour,
    by_garment,
    by_person_word,
    by_synonym,
)
from dmmi_core.data.synthesis.expressions.bare import bare_noun
from dmmi_core.data.synthesis.expressions.basic import (
    Expression,
    categories_in,
    describe,
    pair_expression,
    referring_expressions,
    visible,
)
from dmmi_core.data.synthesis.expressions.belongings import by_belonging
from dmmi_core.data.synthesis.expressions.indefinite_persons import by_pronoun
from dmmi_core.data.synthesis.expressions.paraphrase import reword
from dmmi_core.data.synthesis.expressions.position import by_place, in_a_row
from dmmi_core.data.synthesis.expressions.relations import by_neighbour
from dmmi_core.data.synthesis.expressions.supercategories import by_supercategory
from dmmi_core.data.synthesis.images.composition import AnnotatedImage
from dmmi_core.data.synthesis.random import pick, shuffled

Family = Callable[[AnnotatedImage, str, np.random.Generator], list[Expression]]
"""A family of expressions: (image, category, generator) -> true expressions for objects of the category."""


def positive_expression(
    image: AnnotatedImage, kind: str, category: str, rng: np.random.Generator
) -> Expression | None:
    """Return a true expression of a kind ("one" or "many") for objects of a category, or None."""
    if category not in image.view.complete or not image.view.members(category):
        return None
    for family in shuffled(FAMILIES, rng):
        options = [e for e in family(image, category, rng) if e.kind == kind]
        if options:
            return reword(pick(rng, options), rng)
    return None


def _templates(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return referring_expressions(image.view, category, rng)


def _named(image: AnnotatedImage, names: list[Name], rng: np.random.Generator) -> list[Expression]:
    """Return the expressions for one of the names that fit something."""
    names = [named for named in names if visible(image.view, named.members)]
    if not names:
        return []
    named = pick(rng, names)
    found = describe(image.view, named.noun, named.members, rng)
    return found + by_place(image.view, named.noun, named.members, rng) if rng.random() < 0.3 else found


def _synonyms(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(image, by_synonym(image, category), rng)


def _person_words(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(image, by_person_word(image, category), rng)


def _colours(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(image, by_colour(image, category), rng)


def _garments(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(image, by_garment(image, category, rng), rng)


def _places(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_place(image.view, category, image.view.members(category), rng)


def _rows(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return in_a_row(image.view, category, image.view.members(category), rng)


def _neighbours(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_neighbour(image.view, category, rng)


def _belongings(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_belonging(image.view, rng) if category == "person" else []


def _pronouns(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_pronoun(image.view, rng) if category == "person" else []


def _supercategories(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_supercategory(image.view, category, rng)


def _bare(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    return bare_noun(image.view, category, rng)


def _captions(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    found = [Expression(p.text, t) for p, t in image.view.phrases if p.category == category]
    return [e for e in found if visible(image.view, e.targets)]


def _pairs(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Expression]:
    others = [other for other in categories_in(image.view) if other != category]
    pairs = [pair_expression(image.view, category, other, rng) for other in others]
    return [pair for pair in pairs if pair]


FAMILIES: dict[Family, float] = {
    _templates: 4,
    _synonyms: 2,
    _person_words: 10,
    _captions: 16,
    _colours: 3,
    _garments: 10,
    _places: 2.5,
    _neighbours: 2.5,
    _pairs: 1,
    _rows: 2,
    _belongings: 5,
    _pronouns: 1.5,
    _supercategories: 1.5,
    _bare: 1,
}
"""Weights with which the families are tried first."""
