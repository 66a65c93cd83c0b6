"""Names by attributes, each with all objects that it fits: synonyms, words for persons, colours, clothes."""

from dataclasses import dataclass

import numpy as np

from dmmi_core.data.lexicon.names import COUNTED, excluded_by, names
from dmmi_core.data.synthesis.expressions.supercategories import members_of, supercategories_of
from dmmi_core.data.synthesis.images.clothed_persons import SIMILAR
from dmmi_core.data.synthesis.images.colours import CERTAIN, COLOURS, ON_A_PERSON, TRACE, colour_map, shares
from dmmi_core.data.synthesis.images.composition import AnnotatedImage
from dmmi_core.data.synthesis.random import pick

WORN_AREA = 0.002
"""Least area of a garment that is referred to, as a fraction of the view."""
COLOURED_AREA = 0.004
"""Least area of an object whose colour is referred to, as a fraction of the view."""
LIT = 70
"""Mean brightness of an image, in [0, 255], from which on its colours can be told."""
CLOTHES_SHARE = 0.35
"""Share of a person, from which on the person is "in red"."""
_WEARING = ("in the", "in a", "wearing a", "wearing the")
_IN_PLURAL = ("in the", "in", "wearing", "wearing the")
_CARRYING = ("with the", "with a", "carrying a")
_PLURALS = ("shorts", "jeans", "pants", "tights", "boots")
Garments = dict[str, np.ndarray]
"""Masks of what a person wears, bool (S, S), by annotated name."""


@dataclass(frozen=True)
class Name:
    """A noun with the indices of all objects that it fits; no indices if it is certainly false of all."""

    noun: str
    members: tuple[int, ...]


def by_synonym(image: AnnotatedImage, category: str) -> list[Name]:
    """Return the category's names and those of its supercategories."""
    view = image.view
    found = [Name(name, view.members(category)) for name in names(category)]
    for kind in supercategories_of(category):
        if kind in COUNTED and (members := members_of(view, kind)) is not None:
            found.append(Name(kind, members))
    return found


def by_person_word(image: AnnotatedImage, category: str) -> list[Name]:
    """Return names such as "the woman", if it is known of every person whether the word fits."""
    members = image.view.members(category)
    called = {i: image.view.objects[i].names for i in members}
    words = {word for known in called.values() for word in known}
    words |= {other for word in words for other in excluded_by(word)}
    found = []
    for word in sorted(words):
        fits = tuple(i for i in members if word in called[i])
        if all(called[i] & excluded_by(word) for i in members if i not in fits):
            found.append(Name(word, fits))
    return found


def by_colour(image: AnnotatedImage, category: str) -> list[Name]:
    """Return names such as "red car" and "person in red".

    Every object must clearly be of the colour, or clearly not be.
    """
    members = image.view.members(category)
    if not all(_is_clear(image, i) for i in members):
        return []
    colours = colour_map(image.pixels)
    masks = {i: image.view.objects[i].mask for i in members}
    measured = {i: shares(colours, mask) for i, mask in masks.items() if mask is not None}
    person = category == "person"
    enough = CLOTHES_SHARE if person else CERTAIN
    if not all(max(share.values()) > enough for share in measured.values()):
        return []
    found = []
    for colour in ON_A_PERSON if person else COLOURS:
        fits = tuple(i for i in members if measured[i][colour] > enough)
        if all(measured[i][colour] < TRACE for i in members if i not in fits):
            found.append(Name(f"person in {colour}" if person else f"{colour} {category}", fits))
    return [named for named in found if named.members or _nothing_like(named.noun, measured)]


def _is_clear(image: AnnotatedImage, index: int) -> bool:
    """Return whether an object is lit and big enough to tell its colour."""
    mask = image.view.objects[index].mask
    return mask is not None and mask.mean() > COLOURED_AREA and image.pixels.mean() > LIT


def _nothing_like(noun: str, measured: dict[int, dict[str, float]]) -> bool:
    """Return whether no object has a colour close to that of the noun."""
    near = {
        "black": ("gray", "blue", "brown"),
        "gray": ("black", "white", "blue"),
        "white": ("gray", "yellow", "pink"),
        "red": ("orange", "pink", "brown"),
        "orange": ("red", "brown", "yellow"),
        "yellow": ("orange", "green", "brown"),
        "pink": ("red", "purple"),
        "purple": ("pink", "blue"),
        "blue": ("purple", "green"),
        "green": ("yellow", "blue"),
        "brown": ("orange", "red", "yellow", "black"),
    }
    colour = next(word for word in noun.split() if word in near)
    return all(share[other] < 0.25 for share in measured.values() for other in near[colour])


def by_garment(image: AnnotatedImage, category: str, rng: np.random.Generator) -> list[Name]:
    """Return names such as "person in the red coat", including garments that nobody wears.

    The clothes of all persons must be annotated.
    """
    members = image.view.members(category)
    garments = {i: image.view.objects[i].garments for i in members}
    worn = {i: found for i, found in garments.items() if found is not None}
    if not members or len(worn) < len(members):
        return []
    found, colours = [], colour_map(image.pixels)
    for word in SIMILAR:
        wearing = tuple(i for i in members if _wears(worn[i], word))
        if all(not _may_wear(worn[i], word) for i in members if i not in wearing):
            found.append(Name(_worn(word, "", rng), wearing))
        found += _by_garment_colour(worn, word, colours, rng)
    return found


def _by_garment_colour(
    worn: dict[int, Garments], word: str, colours: np.ndarray, rng: np.random.Generator
) -> list[Name]:
    measured = {
        i: shares(colours, np.any([mask for name, mask in garments.items() if name in SIMILAR[word]], 0))
        for i, garments in worn.items()
        if _may_wear(garments, word)
    }
    found = []
    for colour in COLOURS:
        fits = tuple(i for i in measured if _wears(worn[i], word) and measured[i][colour] > CERTAIN + 0.1)
        rest = [measured[i] for i in measured if i not in fits]
        if all(share[colour] < TRACE for share in rest) and (
            fits or _nothing_like(colour, dict(enumerate(rest)))
        ):
            found.append(Name(_worn(word, colour, rng), fits))
    return found


def _wears(garments: Garments, word: str) -> bool:
    return word in garments and garments[word].mean() > WORN_AREA


def _may_wear(garments: Garments, word: str) -> bool:
    return any(name in SIMILAR[word] for name in garments)


def _worn(word: str, colour: str, rng: np.random.Generator) -> str:
    forms = _CARRYING if word in ("bag", "purse") else _IN_PLURAL if word in _PLURALS else _WEARING
    form = pick(rng, forms)
    return " ".join(part for part in ("person", form, colour, word) if part)
