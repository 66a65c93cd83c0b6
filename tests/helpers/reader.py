"""A reader that finds the objects of an expression in a drawn image, by its pixels alone."""

import re

import cv2
import numpy as np

from helpers.pictures import CATEGORIES, NUMBERS, PLURALS, Seen, look

_REQUEST = re.compile(
    r"^(please )?(find|show me|point at|segment|look at|select|can you see|can you find|where is|where are|"
    r"i want|give me|i am looking for|go to|locate|highlight|mark|pick up|pick|do you see) |"
    r"( in the picture| in the photo| in this image| please|\?)+$"
)
_RELATION = re.compile(
    r"^(.*?) ((?:that (?:is|are) )?(?:not )?(?:next to|beside|near|by|close to)|"
    r"to the left of|to the right of|(?:closest|nearest|farthest|furthest)(?: to| away from| from)?) "
    rf"the ({'|'.join(CATEGORIES)})$"
)
_BETWEEN = re.compile(rf"^(.*?) (?:in )?between the (?:two )?({'|'.join(PLURALS)})$")
_OF_TWO = re.compile(
    rf"^(.*?)(?: one)?( on the (?:left|right))? of the two (\w+ )?({'|'.join(PLURALS)})( in \w+)?$"
)
_WHOEVER = re.compile(
    r"^(everyone|everybody|humans?|any (?:people|person|humans)|(?:any|some)(?:one|body)|"
    r"(?:(?:the|any|all|all of|every one of|each of) )?(?:the )?(?:persons|humans|pedestrians))(?= on|$)"
)
_BARE = {**{category: category for category in CATEGORIES}, **PLURALS}
_HUES = {  # names that fit the four drawn colours, in bright and in dim light
    "dog": {"red", "pink", "brown", "orange"},
    "cat": {"green"},
    "cup": {"blue", "purple"},
    "person": {"yellow", "green"},
}
_ORDINALS = {
    **{"first": 0, "second": 1, "third": 2, "fourth": 3},
    **{"1st": 0, "2nd": 1, "3rd": 2, "4th": 3},
}
_COLOURS = {
    *("black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"),
}


def understand(text: str, seen: dict[str, list[Seen]]) -> list[Seen]:
    """Return the objects that `text` refers to; raise AssertionError if it does not fit the image."""
    text = _REQUEST.sub("", _REQUEST.sub("", text))
    if text in _BARE:
        return seen[_BARE[text]]
    if found := _WHOEVER.match(text):
        place = text[found.end() :]
        noun = "person" if found[1].startswith("some") else "people"
        return _one_phrase(noun + place, seen) if place else seen["person"]
    if found := _OF_TWO.match(text):
        beginning, place, colour, noun, worn = (part or "" for part in found.groups())
        noun = PLURALS[noun]
        assert len(seen[noun]) in (0, 2), "of two"
        return _one_phrase(f"{beginning} {colour}{noun}{worn}{place}", seen)
    if found := _BETWEEN.match(text):
        return _between(_one_phrase(found[1], seen, check=False), seen[PLURALS[found[2]]])
    if found := re.match(r"^(.*) except the one (.*)$", text):
        members = _one_phrase(found[1], seen)
        noun = next(PLURALS[word] for word in found[1].split() if word in PLURALS)
        left_out = understand(f"the {noun} {found[2]}", seen)
        return [item for item in members if not any(item is other for other in left_out)]
    if found := _RELATION.match(text):
        items = _one_phrase(found[1], seen, check=False)
        plural = any(word in PLURALS for word in found[1].split())
        related = _related(items, found[2], seen[found[3]])
        assert not related or (len(related) > 1) == plural, f"{len(related)} are {text!r}"
        return related
    return [item for part in text.split(" and ") for item in _one_phrase(part, seen)]


def _related(items: list[Seen], relation: str, landmarks: list[Seen]) -> list[Seen]:
    if not items or not landmarks:
        return []
    assert len(landmarks) == 1, "one landmark"
    (landmark,) = landmarks
    if relation.startswith("to the"):
        sign = -1 if "left" in relation else 1
        found = [item for item in items if sign * (item.x - landmark.x) > 0]
        assert len(found) < 2, "one of them is on that side"
        return found
    gaps = [_distance(item, landmark) for item in items]
    if relation.startswith(("closest", "nearest", "farthest", "furthest")):
        ranked = sorted(zip(gaps, items, strict=True), key=lambda pair: pair[0])
        return _extreme(ranked, last=relation.startswith("f"), margin=0.08)
    assert all(distance < 0.08 or distance > 0.15 for distance in gaps), "each is near or is not"
    return [i for i, distance in zip(items, gaps, strict=True) if (distance < 0.08) != ("not" in relation)]


def _between(items: list[Seen], landmarks: list[Seen]) -> list[Seen]:
    assert len(landmarks) == 2, "two landmarks"
    left, right = sorted(landmarks, key=lambda item: item.x)
    found = [item for item in items if left.x < item.x < right.x]
    assert len(found) == 1 and all(i.box[1] < found[0].y < i.box[3] for i in landmarks)
    return found


def _distance(a: Seen, b: Seen) -> float:
    """Return the distance between two boxes, as a fraction of the image."""
    across = max(a.box[0] - b.box[2], b.box[0] - a.box[2], 0)
    return float(np.hypot(across, max(a.box[1] - b.box[3], b.box[1] - a.box[3], 0)))


def _one_phrase(phrase: str, seen: dict[str, list[Seen]], *, check: bool = True) -> list[Seen]:
    """Return the objects of one noun phrase; `check`: assert that they fit the number of the noun."""
    for form, plain in (("left most", "leftmost"), ("right most", "rightmost"), ("every one of", "all")):
        phrase = phrase.replace(form, plain)
    words = phrase.split()
    (noun,) = [word for word in words if word in CATEGORIES or word in PLURALS]
    category = PLURALS.get(noun, noun)
    members = _coloured(seen[category], category, words)
    if not members:
        return []
    singular = noun in CATEGORIES and not {"every", "each"} & set(words)
    count = 2 if "both" in words else next((NUMBERS.index(w) for w in words if w in NUMBERS), None)
    chosen = _chosen(members, words, singular, count)
    if check:
        assert not chosen or (len(chosen) == 1) == singular, f"{len(chosen)} are {phrase!r}"
        assert not chosen or count in (None, len(chosen)), f"{len(chosen)} are {phrase!r}"
    return chosen


def _coloured(members: list[Seen], category: str, words: list[str]) -> list[Seen]:
    colours = _COLOURS & set(words)
    return [] if colours and not colours & _HUES[category] else members


def _chosen(members: list[Seen], words: list[str], singular: bool, count: int | None) -> list[Seen]:
    by_x, by_y = (sorted(members, key=lambda item, axis=axis: getattr(item, axis)) for axis in "xy")
    by_area, by_feet = (
        sorted(members, key=lambda item: item.area),
        sorted(members, key=lambda item: item.box[3]),
    )
    asked = set(words)
    side = next((s for s in ("left", "right") if {s, f"{s}most"} & asked), None)
    height = next((h for h in ("top", "bottom", "uppermost", "lowest") if h in asked), None)
    if ordinal := _ORDINALS.keys() & asked:
        place = _ORDINALS[ordinal.pop()]
        return (by_x if side == "left" else by_x[::-1])[place : place + 1]
    if compared := asked & {"smaller", "bigger", "larger", "taller", "shorter"}:
        assert len(members) == 2, f"{compared} of two"
    if asked & {"biggest", "largest", "smallest", "smaller", "bigger", "larger"}:
        last = not asked & {"smallest", "smaller"}
        return _extreme([(item.area, item) for item in by_area], last=last, margin=0.25, share=True)
    if asked & {"tallest", "taller", "shortest", "shorter"}:
        ranked = sorted(((item.box[3] - item.box[1], item) for item in members), key=lambda pair: pair[0])
        return _extreme(ranked, last=bool(asked & {"tallest", "taller"}), margin=0.15, share=True)
    if asked & {"closest", "nearest", "front", "foreground", "farthest", "back", "background"}:
        near = bool(asked & {"closest", "nearest", "front", "foreground"})
        return _extreme([(item.box[3], item) for item in by_feet], last=near, margin=0.05)
    if asked & {"middle", "center"}:
        if len(members) == 1:
            assert abs(members[0].x - 0.5) < 0.12 and abs(members[0].y - 0.5) < 0.12
        assert len(members) % 2, "one has as many on each side"
        return [by_x[len(by_x) // 2]]
    if side and height:
        return [
            i
            for i in members
            if (i.x < 0.35, i.x > 0.65)[side == "right"] and (i.y < 0.35, i.y > 0.65)[height == "bottom"]
        ]
    if height:
        if len(members) == 1:
            return members if (members[0].y < 0.5) == (height in ("top", "uppermost")) else []
        return _extreme([(item.y, item) for item in by_y], last=height in ("bottom", "lowest"), margin=0.08)
    if side:
        return _sided(by_x, side, singular, count, words)
    return members


def _sided(by_x: list[Seen], side: str, singular: bool, count: int | None, words: list[str]) -> list[Seen]:
    line = by_x if side == "left" else by_x[::-1]
    if (not singular and count == 2) or (f"{side}most" in words and not singular):
        assert len(line) > 2 and abs(line[1].x - line[2].x) > 0.08
        return line[:2]
    there = [item for item in line if (item.x < 0.5) == (side == "left")]
    if not singular:
        assert not there or 1 < len(there) < len(line), "some, but not all, are on that side"
        return there
    assert len(line) == 1 or abs(line[0].x - line[1].x) > 0.05, "two are side by side"
    return line[:1] if len(line) > 1 else there


def _extreme(
    ranked: list[tuple[float, Seen]], *, last: bool, margin: float, share: bool = False
) -> list[Seen]:
    """Return the first or last of several objects; assert that it clearly is."""
    assert len(ranked) > 1, "one is not the most of its kind"
    (a, first), (b, _) = ranked[-1:-3:-1] if last else ranked[:2]
    apart = abs(a - b) / min(a, b) if share else abs(a - b)
    assert apart > margin, "two are nearly equal"
    return [first]


def assert_true(text: str, image: np.ndarray, mask: np.ndarray) -> None:
    """Assert that `mask` covers what `text` refers to in `image`, and that number and place are true."""
    seen = look(cv2.medianBlur(image, 3))
    meant = understand(text, seen)
    for item in (item for members in seen.values() for item in members):
        covered = mask[item.mask].mean()
        expected = any(item is other for other in meant)
        assert covered > 0.75 if expected else covered < 0.25, (
            f"{text!r}: {covered:.0%} of an object is covered"
        )
    near = cv2.dilate(
        sum((item.mask.astype(np.uint8) for item in meant), np.zeros(mask.shape, np.uint8)), np.ones((7, 7))
    )
    assert not (mask & (near == 0)).any(), f"{text!r}: the mask is more than its objects"
