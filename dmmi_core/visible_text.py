"""Characters that show nothing, such as the zero-width spaces of a web page."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""Unicode categories: controls, formats such as U+200B, and separators."""
_FILLERS = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | set(map(chr, range(0xFE00, 0xFE10)))
"""Letters, marks and symbols by category that show nothing; the range is that of variation selectors."""


def strip_hidden(text: str) -> str:
    """Return `text` without the characters at its ends that show nothing; empty if none shows anything."""
    shown = [index for index, character in enumerate(text) if not _is_hidden(character)]
    return text[shown[0] : shown[-1] + 1] if shown else ""


def _is_hidden(character: str) -> bool:
    return character in _FILLERS or unicodedata.category(character) in _HIDDEN
