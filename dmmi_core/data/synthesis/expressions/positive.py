"""Every way to refer to objects of a category in a picture."""

from collections.abc import Callable

import numpy as np

from dmmi_core.data.synthesis.expressions.attributes import (
    Named,
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
from dmmi_core.data.synthesis.expressions.kinds import by_kind
from dmmi_core.data.synthesis.expressions.paraphrase import reword
from dmmi_core.data.synthesis.expressions.position import by_place, in_a_row
from dmmi_core.data.synthesis.expressions.pronouns import by_pronoun
from dmmi_core.data.synthesis.expressions.relations import by_neighbour
from dmmi_core.data.synthesis.images.composition import Picture
from dmmi_core.data.synthesis.random import pick, shuffled

Family = Callable[[Picture, str, np.random.Generator], list[Expression]]


def refer(picture: Picture, kind: str, category: str, rng: np.random.Generator) -> Expression | None:
    """A true expression of a kind ("one" or "many") for objects of a category, or None."""
    if category not in picture.view.complete or not picture.view.members(category):
        return None
    for family in shuffled(FAMILIES, rng):
        options = [e for e in family(picture, category, rng) if e.kind == kind]
        if options:
            return reword(pick(rng, options), rng)
    return None


def _templates(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return referring_expressions(picture.view, category, rng)


def _named(picture: Picture, names: list[Named], rng: np.random.Generator) -> list[Expression]:
    """One of the names that fit something, in all forms."""
    names = [named for named in names if visible(picture.view, named.members)]
    if not names:
        return []
    named = pick(rng, names)
    found = describe(picture.view, named.noun, named.members, rng)
    return found + by_place(picture.view, named.noun, named.members, rng) if rng.random() < 0.3 else found


def _synonyms(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(picture, by_synonym(picture, category), rng)


def _person_words(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(picture, by_person_word(picture, category), rng)


def _colours(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(picture, by_colour(picture, category), rng)


def _garments(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return _named(picture, by_garment(picture, category, rng), rng)


def _places(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_place(picture.view, category, picture.view.members(category), rng)


def _rows(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return in_a_row(picture.view, category, picture.view.members(category), rng)


def _neighbours(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_neighbour(picture.view, category, rng)


def _belongings(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_belonging(picture.view, rng) if category == "person" else []


def _pronouns(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_pronoun(picture.view, rng) if category == "person" else []


def _kinds(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return by_kind(picture.view, category, rng)


def _bare(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    return bare_noun(picture.view, category, rng)


def _captions(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    found = [Expression(p.text, t) for p, t in picture.view.phrases if p.category == category]
    return [e for e in found if visible(picture.view, e.targets)]


def _pairs(picture: Picture, category: str, rng: np.random.Generator) -> list[Expression]:
    others = [other for other in categories_in(picture.view) if other != category]
    pairs = [pair_expression(picture.view, category, other, rng) for other in others]
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
    _kinds: 1.5,
    _bare: 1,
}
"""How often each is tried first."""
