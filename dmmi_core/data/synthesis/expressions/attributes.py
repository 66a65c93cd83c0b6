"""What objects of a picture may be called: a name, with all the objects that it fits, and no other."""

from dataclasses import dataclass

import numpy as np

from dmmi_core.data.lexicon.names import COUNTED, excluded_by, names
from dmmi_core.data.synthesis.expressions.kinds import kinds_of, whole
from dmmi_core.data.synthesis.images.clothes import SIMILAR
from dmmi_core.data.synthesis.images.colours import CERTAIN, COLOURS, ON_A_PERSON, TRACE, colour_map, shares
from dmmi_core.data.synthesis.images.composition import Picture
from dmmi_core.data.synthesis.random import pick
from dmmi_core.data.synthesis.view import View, ViewedObject

WORN_AREA = 0.002
"""Fraction of the view that a garment covers, at least, to be spoken of."""
COLOURED_AREA = 0.004
"""The same of an object whose colour is."""
LIT = 70
"""Mean of a picture from which on its colours are seen."""
CLOTHES_SHARE = 0.35
"""Of a person, from which it is "in red"."""
_WEARING = ("in the", "in a", "wearing a", "wearing the")
_IN_PLURAL = ("in the", "in", "wearing", "wearing the")
_CARRYING = ("with the", "with a", "carrying a")
_PLURALS = ("shorts", "jeans", "pants", "tights", "boots")


@dataclass(frozen=True)
class Named:
    noun: str
    members: tuple[int, ...]
    """Indices of the objects; none where the noun is certainly false of all."""


def by_synonym(picture: Picture, category: str) -> list[Named]:
    view = picture.view
    found = [Named(name, view.members(category)) for name in names(category)]
    for kind in kinds_of(category):
        if kind in COUNTED and (members := whole(view, kind)) is not None:
            found.append(Named(kind, members))
    return found


def by_person_word(picture: Picture, category: str) -> list[Named]:
    """ "the woman", where of every person it is known whether the word fits."""
    members = picture.view.members(category)
    called = {i: picture.view.objects[i].names for i in members}
    words = {word for known in called.values() for word in known}
    words |= {other for word in words for other in excluded_by(word)}
    found = []
    for word in sorted(words):
        fits = tuple(i for i in members if word in called[i])
        if all(called[i] & excluded_by(word) for i in members if i not in fits):
            found.append(Named(word, fits))
    return found


def by_colour(picture: Picture, category: str) -> list[Named]:
    """ "red car", "person in red": where every object either clearly is of the colour or clearly is not."""
    members = picture.view.members(category)
    if not all(_is_clear(picture, i) for i in members):
        return []
    colours = colour_map(picture.image)
    measured = {i: shares(colours, picture.view.objects[i].mask) for i in members}
    person = category == "person"
    enough = CLOTHES_SHARE if person else CERTAIN
    if not all(max(share.values()) > enough for share in measured.values()):
        return []
    found = []
    for colour in ON_A_PERSON if person else COLOURS:
        fits = tuple(i for i in members if measured[i][colour] > enough)
        if all(measured[i][colour] < TRACE for i in members if i not in fits):
            found.append(Named(f"person in {colour}" if person else f"{colour} {category}", fits))
    return [named for named in found if named.members or _nothing_like(named.noun, measured)]


def _is_clear(picture: Picture, index: int) -> bool:
    """Whether an object is lit and big enough to tell its colour."""
    mask = picture.view.objects[index].mask
    return mask is not None and mask.mean() > COLOURED_AREA and picture.image.mean() > LIT


def _nothing_like(noun: str, measured: dict) -> bool:
    """Whether no object has a colour near to that of the noun."""
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


def by_garment(picture: Picture, category: str, rng: np.random.Generator) -> list[Named]:
    """ "person in the red coat", where all persons' clothes are annotated; also for what nobody wears."""
    members = picture.view.members(category)
    persons = [picture.view.objects[i] for i in members]
    if not persons or any(person.garments is None for person in persons):
        return []
    found, colours = [], colour_map(picture.image)
    for word in SIMILAR:
        wearing = tuple(i for i in members if _wears(picture.view.objects[i], word))
        if all(not _may_wear(picture.view.objects[i], word) for i in members if i not in wearing):
            found.append(Named(_worn(word, "", rng), wearing))
        found += _by_garment_colour(picture.view, members, word, colours, rng)
    return found


def _by_garment_colour(
    view: View, members: tuple, word: str, colours: np.ndarray, rng: np.random.Generator
) -> list[Named]:
    measured = {
        i: shares(
            colours, np.any([m for name, m in view.objects[i].garments.items() if name in SIMILAR[word]], 0)
        )
        for i in members
        if _may_wear(view.objects[i], word)
    }
    found = []
    for colour in COLOURS:
        fits = tuple(
            i for i in measured if _wears(view.objects[i], word) and measured[i][colour] > CERTAIN + 0.1
        )
        rest = [measured[i] for i in measured if i not in fits]
        if all(share[colour] < TRACE for share in rest) and (
            fits or _nothing_like(colour, dict(enumerate(rest)))
        ):
            found.append(Named(_worn(word, colour, rng), fits))
    return found


def _wears(person: ViewedObject, word: str) -> bool:
    return word in person.garments and person.garments[word].mean() > WORN_AREA


def _may_wear(person: ViewedObject, word: str) -> bool:
    return any(name in SIMILAR[word] for name in person.garments)


def _worn(word: str, colour: str, rng: np.random.Generator) -> str:
    forms = _CARRYING if word in ("bag", "purse") else _IN_PLURAL if word in _PLURALS else _WEARING
    form = pick(rng, forms)
    return " ".join(part for part in ("person", form, colour, word) if part)
