"""Facts from people's captions: expressions for objects, names of the persons, and absent categories."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import textblob.en

from dmmi_core.data.lexicon.caption_cues import GENERIC, SALIENT
from dmmi_core.data.lexicon.names import (
    FEMALE,
    LOOK_ALIKES,
    MALE,
    MORE_PERSONS,
    PERSONS,
    VAGUE,
    names,
    plural,
)
from dmmi_core.data.synthesis.scenes import Phrase, Scene

MAX_WORDS = 13
"""Most words of a caption that are kept."""
ENOUGH = 5
"""Captions from which on a salient category that none mentions counts as absent."""

_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple": 2, "pair": 2, "both": 2}
_PREFACE = re.compile(
    r"^(there (is|are|was|were)|(an? |the )?(very )?(close[- ]?up( view| shot| photo| picture)?|picture|"
    r"photo|photograph|image|view|shot) (of|showing)|this is) "
)
_UNSURE = re.compile(
    r"\b(left|right|mirror|reflect\w*|statues?|posters?|painting|toys?|dolls?|stuffed|another|others?|"
    r"some ?one|screen|picture|photo|photos|cartoon|mannequins?|parents?|mother|father|family|couple|crowd|"
    r"group|team)\b"
)
_LOOSE_ENDS = re.compile(
    r"(,| (a|an|the|of|in|on|with|and|to|his|her|its|their|is|are|that|at|by|while|next|near|from|as|for|"
    r"into|onto|who|which|wearing|holding|two|some|very|front|top))+$"
)


def apply_captions(scene: Scene) -> Scene:
    """Add to a scene its certainly absent categories, names of its persons, and captions of its objects."""
    present = {item.category for item in scene.objects}
    complete = scene.complete | (unmentioned(scene.captions) - present)
    words = person_names(scene.captions, scene.count("person")) if "person" in complete else frozenset()
    objects = tuple(replace(o, names=words) if o.category == "person" else o for o in scene.objects)
    phrases = tuple(
        p for p in phrases_of(scene) if p.category in complete and p.fits(scene.count(p.category))
    )
    return replace(scene, objects=objects, complete=complete, phrases=phrases)


def phrases_of(scene: Scene) -> list[Phrase]:
    return [phrase for caption in scene.captions if (phrase := read_phrase(caption))]


def read_phrase(caption: str) -> Phrase | None:
    """Return the caption as an expression for its subject, or None if the subject is not certain."""
    text = _PREFACE.sub("", " ".join(caption.lower().replace('"', "").strip(" .").split()))
    head, count, rest = _subject(text)
    if head not in _LEXICON or not text.isascii():
        return None
    category, several = _LEXICON[head]
    number = count if several else 1
    if several and count is None and category == "person" and head != "people":
        return None  # the noun may fit only some of the persons
    if _UNSURE.search(rest) or category in mentioned(rest):
        return None
    return Phrase(_cut(text), category, number, mentioned(_AMBIGUOUS.sub("", text)))


def _subject(text: str) -> tuple[str, int | None, str]:
    """Return the head of the first noun phrase, its stated number, and the text that follows."""
    tokens = [token.split("/")[:3] for token in textblob.en.parse(text).replace("\n", " ").split()]
    words = [word for word, *_ in tokens]
    end = _phrase_end(tokens, 0)
    counted = words[:end]
    if (
        words[end : end + 1] == ["of"]
        and counted[-1:]
        and counted[-1] in ("couple", "pair", "group", "bunch")
    ):
        end = _phrase_end(tokens, end + 1)
        counted = words[:end]
    following = words[end] if end < len(words) else ""
    if end == 0 or following in ("and", "or", ",", "&", "'s", "of") or "and" in counted:
        return "", None, ""
    count = next((_NUMBERS[word] for word in counted if word in _NUMBERS), None)
    two = " ".join(words[end - 2 : end])
    return two if two in _LEXICON else words[end - 1], count, " ".join(words[end:])


def _phrase_end(tokens: list, start: int) -> int:
    """Return the end of the noun phrase that begins at `start`."""
    end = start
    while end < len(tokens) and tokens[end][2] == ("B-NP" if end == start else "I-NP"):
        end += 1
    return end


def _cut(text: str) -> str:
    words = text.split()
    return text if len(words) <= MAX_WORDS else _LOOSE_ENDS.sub("", " ".join(words[:MAX_WORDS]))


def mentioned(text: str) -> frozenset[str]:
    """Return the categories that a lower-case text names."""
    return frozenset(_LEXICON[word][0] for word in _ANY_NAME.findall(text))


def unmentioned(captions: Sequence[str]) -> frozenset[str]:
    """Return the salient categories that no caption mentions, if there are enough captions."""
    if len(captions) < ENOUGH:
        return frozenset()
    text = " ".join(captions).lower()
    vague = {c for words, group in GENERIC.items() if re.search(rf"\b({words})", text) for c in group}
    return frozenset(c for c, stems in SALIENT.items() if not re.search(rf"\b({stems})", text)) - vague


def person_names(captions: Sequence[str], count: int) -> frozenset[str]:
    """Return names for each of an image's `count` persons that two captions use and none contradicts."""
    text = " ".join(captions).lower()
    if count not in (1, 2) or len(captions) < 3:
        return frozenset()
    others = [plural(word) for word in (*PERSONS, *MORE_PERSONS)] if count == 1 else [*PERSONS]
    others = [word for word in others if word not in ("person", "people")] + ["another", "group", "couple"]
    if re.search(rf"\b({'|'.join(others)})\b", text):
        return frozenset()
    forms = {word: word if count == 1 else plural(word) for word in PERSONS if word != "person"}
    votes = Counter(
        {
            word: sum(bool(re.search(rf"\b{form}\b", c.lower())) for c in captions)
            for word, form in forms.items()
        }
    )
    sexes = [sex for sex in (MALE, FEMALE) if any(votes[word] for word in sex)]
    found = {word for word, number in votes.items() if number > 1}
    if len(sexes) > 1:
        found -= MALE | FEMALE
    return frozenset(found | ({"guy"} if "man" in found else {"lady"} if "woman" in found else set()))


def _lexicon() -> dict[str, tuple[str, bool]]:
    """Return each name of a category or word for a person, with the category and whether it is plural."""
    found = {}
    for category in {"person"} | {name for group in LOOK_ALIKES for name in group}:
        words = (*PERSONS, *MORE_PERSONS) if category == "person" else names(category)
        for word in words:
            found[plural(word)] = (category, True)
            found[word] = (category, plural(word) == word)
    return found


_LEXICON = _lexicon()
_AMBIGUOUS = re.compile(
    rf"\b({'|'.join(map(re.escape, VAGUE))}|orange|remote|mouse|(train|bus|cable|cattle) "
    r"(cars?|stations?|stops?|tracks?|terminals?|depots?|yards?))s?\b"
)
"""Words that may mean something else than the category: an orange shirt, a remote beach, a bus stop."""
_ANY_NAME = re.compile(rf"\b({'|'.join(sorted(map(re.escape, _LEXICON), key=len, reverse=True))})\b")
