"""Requests that name no target, by what they say: "nobody", "no cats", "not a single dog"."""

import re

_NOBODY = re.compile(
    r"(?:nobody|no[ -]one|none|nothing|neither|zero|not (?:a single|even one|one|any))\b(?!').*"
)
_SAVE = re.compile(r"\b(?:but|except|save|besides|other than|apart from|aside from)\b")
"""After which a target is named after all: "nothing but the cat"."""
_WORN = (
    *("hat", "hats", "cap", "helmet", "glasses", "sunglasses", "shirt", "jacket", "coat", "tie", "shoes"),
    *("shoe", "pants", "socks", "sleeve", "sleeves", "hair", "beard", "face", "head", "mask", "gloves"),
)
_NO_NOUN = (
    *("the", "a", "an", "this", "that", "these", "those", "it", "i", "not", "no", "longer", "doubt", "name"),
    *("matter", "way", "problem", "thanks", "thank", "please", "sorry", "wait", "idea", "my", "your"),
)
_FORBIDDEN = r"\w+ing|entry|exit|entrance|turns?|u-turns?|left|right"
"""What a sign forbids: "no parking"."""
_NO = re.compile(rf"no (?!(?:{'|'.join((*_WORN, *_NO_NOUN))}|{_FORBIDDEN})\b)(?!\d)[\w-]+(?!\w*')(?: .*)?")
"""Not "no hat", as is said of a person, nor "no, the other one"."""
_SIGN = re.compile(r"no (?:\S+ ){1,3}(?:signs?|symbols?|zones?|areas?|stickers?|notices?|lanes?)\b")
_NO_SIGN = re.compile(r"no (?:(?:\w+ )?(?:stop|street|traffic|road) )?signs?\b")
_THERE = re.compile(r"there(?: is|'s| are) ")


def names_nothing(expression: str) -> bool:
    """Whether it says itself that it has no target; "no parking sign" and "person with no hat" do not.

    In doubt it does not: the network has its say.
    """
    text = _THERE.sub("", expression.lower().strip(), count=1)
    if _SAVE.search(text):
        return False
    if _NOBODY.fullmatch(text):
        return True
    return bool(_NO.fullmatch(text)) and (not _SIGN.match(text) or bool(_NO_SIGN.match(text)))
