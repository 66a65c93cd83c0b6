"""The grammar of requests: the expression in a request, its number, and requests that name no target."""

import re
import unicodedata

_POLITE = (
    *("hey", "hello", "ok", "okay", "robot", "now", "please"),
    *("could you", "can you", "would you", "will you", "i want you to"),
)
_VERBS = (
    *("find", "locate", "detect", "segment", "select", "highlight", "mark", "show", "show me", "tell me"),
    *("look at", "look for", "search for", "point at", "point to", "go to", "move to", "drive to", "follow"),
    *("pick", "pick up", "grab", "take", "get", "get me", "give me", "bring me", "hand me", "fetch"),
    *("where is", "where are", "where's", "is there", "are there", "see", "do you see"),
    *("i want", "i need", "i am looking for", "i'm looking for"),
)
_DETERMINERS = (
    *("the", "a", "an", "all", "both", "every", "each", "any", "some", "my", "your", "our", "his", "her"),
    *("their", "this", "that", "these", "those", "one", "two", "three", "four", "five", "six", r"\d+"),
    *("everyone", "everybody", "someone", "somebody", "anyone", "anybody", "everything"),
    *("something", "anything", "no", "nobody", "nothing", "none", "neither", "not a single"),
)
# Only before a determiner: "pick up truck", "mark on the wall" and "robot arm" are expressions themselves.
_OPENING = re.compile(
    rf"(?:(?:{'|'.join(_POLITE)})\b[,\s]*)*(?:(?:{'|'.join(_VERBS)})\s+)?(?=(?:{'|'.join(_DETERMINERS)})\b)",
    re.IGNORECASE,
)
_MARKS = ".,:;!?-/& \t\r\n"
_APART = frozenset(("So", "Sk", "Cf", "Cc", "Co", "Cn", "Zs", "Zl", "Zp", "Ps", "Pe", "Pi", "Pf", "Pc"))
"""Unicode categories of emoji, brackets, quotes and blanks, which part words and say nothing."""
_DECORATION = '…–—"*#\\|`^~<>=\ufe0e\ufe0f\u20e3'
_NOT_IN_A_WORD = re.compile(r"(?<!\w)['-]|['-](?!\w)(?<!s'(?= \w))")
"""A quote or a hyphen outside a word; "t-shirt", "the dog's" and "the players' bench" keep theirs."""


def expression_of(request: str) -> str:
    """Return the expression in a request: "Could you find the red cups, please?" -> "the red cups".

    A request that consists of polite words alone is returned unchanged.
    """
    expression = _words_of(request).strip(_MARKS)
    if opening := _OPENING.match(expression):
        expression = expression[opening.end() :]
    if expression[-7:].lower() == " please":
        expression = expression[:-7].rstrip(_MARKS)
    return expression or request


def _words_of(text: str) -> str:
    """Remove emoji, quotes, brackets and other decoration: "*the* cat's (🐱)" -> "the cat's"."""
    text = "".join(map(_plain, text.replace("’", "'")))
    return " ".join(_NOT_IN_A_WORD.sub(" ", text).split())


def _plain(character: str) -> str:
    if character in _DECORATION or unicodedata.category(character) in _APART:
        return " "
    return character


_NUMBER_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SEVERAL = re.compile(
    r"\b(?:and|or|all|both|every|each|any|some|these|those|several|many|few|pair|group|couple|crowd|"
    rf"{'|'.join(_NUMBER_WORDS)}|[0-9]+|(?:every|any|some)(?:one|body|thing))\b"
)
_AFTER_THE_NOUN = re.compile(
    r"\b(?:on|in|at|with|without|of|to|next|near|by|behind|beside|under|over|above|below|between|from|about|"
    r"that|who|which|whose|is|are|facing|\w+ing)\b"
)
_ANOTHER = re.compile(r"\band (?:the|an?) ")
_PLURAL = re.compile(
    r"\b(?!this\b|his\b|its\b)(?:\w+[^isu\W]s|skis|people|men|women|children|sheep|mice|geese|cattle|police)\b"
)
_COLLECTIVE = re.compile(
    r"\b(?:fish|deer|aircraft|luggage|baggage|fruit|food|furniture|traffic|family|team|audience)$"
)
"""Nouns for many things, at the end of the subject only: "the fruit", not "the fruit bowl"."""


def is_singular(expression: str) -> bool:
    """Return whether an expression names one object by its grammar; in doubt it does not.

    "the cat on the sofa" and "man in red" do; "both cats", "the people" and "a cat and a dog" do not, nor
    does a noun alone, as "person" may mean everybody.
    """
    text = expression.lower()
    subject = _AFTER_THE_NOUN.split(text, maxsplit=1)[0].strip()
    if not subject or len(text.split()) < 2:
        return False
    several = (_SEVERAL.search(subject), _PLURAL.search(subject), _COLLECTIVE.search(subject))
    return not any((*several, _ANOTHER.search(text)))


_AND = re.compile(r"\b(?:and|or)\b|,")
_COUNTS = {word: number for number, word in enumerate(_NUMBER_WORDS, start=2)}
_COUNT = re.compile(
    r"(?:(?:all|the|these|those|my|your|our|his|her|their) )*"
    rf"(both|{'|'.join(_NUMBER_WORDS)}|[2-9]|[1-9][0-9])\b(?!')"
)


def count_of(expression: str) -> int | None:
    """Return how many objects an expression says it names: 2 for "the two cats" and "both cats".

    None if it gives no number, or names other things too: "two dogs and a cat".
    """
    text = expression.lower()
    found = _COUNT.match(text)
    if not found or _AND.search(text):
        return None
    word = found[1]
    return 2 if word == "both" else _COUNTS.get(word) or int(word)


_NOBODY = re.compile(
    r"(?:nobody|no[ -]one|none|nothing|neither|zero|not (?:a single|even one|one|any))\b(?!').*"
)
_SAVE = re.compile(r"\b(?:but|except|save|besides|other than|apart from|aside from)\b")
"""Words that introduce a target after all: "nothing but the cat"."""
_WORN = (
    *("hat", "hats", "cap", "helmet", "glasses", "sunglasses", "shirt", "jacket", "coat", "tie", "shoes"),
    *("shoe", "pants", "socks", "sleeve", "sleeves", "hair", "beard", "face", "head", "mask", "gloves"),
)
_NO_NOUN = (
    *("the", "a", "an", "this", "that", "these", "those", "it", "i", "not", "no", "longer", "doubt", "name"),
    *("matter", "way", "problem", "thanks", "thank", "please", "sorry", "wait", "idea", "my", "your"),
)
_FORBIDDEN = r"\w+ing|entry|exit|entrance|turns?|u-turns?|left|right"
"""Words that follow "no" on a sign: "no parking"."""
_NO = re.compile(rf"no (?!(?:{'|'.join((*_WORN, *_NO_NOUN))}|{_FORBIDDEN})\b)(?!\d)[\w-]+(?!\w*')(?: .*)?")
"""Matches "no" and a noun, but not "no hat" (of a person) or "no, the other one"."""
_SIGN = re.compile(r"no (?:\S+ ){1,3}(?:signs?|symbols?|zones?|areas?|stickers?|notices?|lanes?)\b")
_NO_SIGN = re.compile(r"no (?:(?:\w+ )?(?:stop|street|traffic|road) )?signs?\b")
_THERE = re.compile(r"there(?: is|'s| are) ")


def names_nothing(expression: str) -> bool:
    """Return whether an expression names no target: "nobody", "no cats"; not "no parking sign".

    In doubt it does not, and the network decides.
    """
    text = _THERE.sub("", expression.lower().strip(), count=1)
    if _SAVE.search(text):
        return False
    if _NOBODY.fullmatch(text):
        return True
    return bool(_NO.fullmatch(text)) and (not _SIGN.match(text) or bool(_NO_SIGN.match(text)))
