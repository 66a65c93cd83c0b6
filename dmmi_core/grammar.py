"""What a request refers to, without what people say around it."""

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
"""A quote or a hyphen by itself; "t-shirt", "the dog's" and "the players' bench" keep theirs."""


def expression_of(request: str) -> str:
    """ "Could you find the red cups, please?" -> "the red cups"; what has nothing else stays as it is."""
    expression = _words_of(request).strip(_MARKS)
    if opening := _OPENING.match(expression):
        expression = expression[opening.end() :]
    if expression[-7:].lower() == " please":
        expression = expression[:-7].rstrip(_MARKS)
    return expression or request


def _words_of(text: str) -> str:
    """Without emoji, quotes, brackets and other decoration: "*the* cat's (🐱)" -> "the cat's"."""
    text = "".join(map(_plain, text.replace("’", "'")))
    return " ".join(_NOT_IN_A_WORD.sub(" ", text).split())


def _plain(character: str) -> str:
    if character in _DECORATION or unicodedata.category(character) in _APART:
        return " "
    return character
