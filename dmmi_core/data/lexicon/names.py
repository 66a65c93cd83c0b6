"""Names of the categories, plurals, words for persons, look-alikes and supercategories."""

import re

from textblob.en.inflect import pluralize

_PLURALS = {
    "person": "people",
    "human": "humans",
    "man": "men",
    "woman": "women",
    "cow": "cows",
    "skis": "skis",
    "broccoli": "broccoli",
    "sheep": "sheep",
}

SYNONYMS = {
    "couch": ("sofa",),
    "tv": ("television", "tv screen"),
    "bicycle": ("bike",),
    "motorcycle": ("motorbike",),
    "airplane": ("plane", "aeroplane"),
    "cell phone": ("phone", "mobile phone", "cellphone"),
    "donut": ("doughnut",),
    "refrigerator": ("fridge",),
    "remote": ("remote control",),
    "potted plant": ("plant", "houseplant"),
    "dining table": ("table",),
    "tennis racket": ("racket", "tennis racquet"),
    "sports ball": ("ball",),
    "teddy bear": ("stuffed bear", "stuffed animal"),
    "laptop": ("laptop computer",),
    "hair drier": ("hair dryer",),
    "handbag": ("purse",),
    "mouse": ("computer mouse",),
    "microwave": ("microwave oven",),
    "baseball bat": ("bat",),
    "fire hydrant": ("hydrant",),
    "traffic light": ("stoplight",),
    "skateboard": ("skate board",),
    "surfboard": ("surf board",),
}
"""Other names that certainly mean the category, if it is present."""

VAGUE = {"table", "plant", "ball", "bat", "racket", "tv screen", "stuffed animal"}
"""Names that may also fit unlabelled objects; no one-to-zero text uses them."""

MALE = {"man", "boy", "guy", "gentleman"}
FEMALE = {"woman", "girl", "lady"}
PERSONS = (
    *sorted(MALE | FEMALE),
    *(
        "kid",
        "child",
        "toddler",
        "baby",
        "skier",
        "surfer",
        "snowboarder",
        "skateboarder",
        "batter",
        "player",
    ),
    *("tennis player", "baseball player", "soccer player", "cyclist", "rider", "person"),
)
"""Words for a person; only captions tell which of them fit."""

MORE_PERSONS = ("person", "male", "female", "gentleman", "teenager", "adult", "someone", "friend", "crowd")
"""More words for a person that captions use."""

LOOK_ALIKES = (
    ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "teddy bear"),
    ("bicycle", "motorcycle", "skateboard"),
    ("car", "truck", "bus", "train", "boat", "airplane"),
    ("traffic light", "fire hydrant", "stop sign", "parking meter", "clock"),
    ("chair", "couch", "bench", "bed", "dining table", "toilet"),
    ("backpack", "handbag", "suitcase", "umbrella", "tie"),
    ("skis", "snowboard", "surfboard", "skateboard", "kite"),
    ("frisbee", "sports ball", "kite", "baseball glove", "orange"),
    ("baseball bat", "tennis racket", "umbrella"),
    ("bottle", "wine glass", "cup", "bowl", "vase", "potted plant"),
    ("fork", "knife", "spoon", "scissors", "toothbrush", "hair drier"),
    ("banana", "apple", "orange", "broccoli", "carrot"),
    ("sandwich", "hot dog", "pizza", "donut", "cake"),
    ("tv", "laptop", "keyboard", "mouse", "remote", "cell phone", "book"),
    ("microwave", "oven", "toaster", "sink", "refrigerator"),
)
"""Groups of categories that look or are used alike."""

ANIMALS = frozenset(LOOK_ALIKES[0]) - {"teddy bear"}
_FRUIT = frozenset({"banana", "apple", "orange"})
SUPERCATEGORIES = {
    "animal": ANIMALS,
    "vehicle": frozenset({"car", "truck", "bus", "train", "boat", "airplane", "motorcycle", "bicycle"}),
    "fruit": _FRUIT,
    "food": _FRUIT | {"sandwich", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake"},
    "seat": frozenset({"chair", "couch", "bench"}),
}
"""Categories by the word for all of them."""
COUNTED = ("animal", "vehicle", "fruit")
"""Supercategories that are used like the name of a category: "the two animals"."""


def plural(noun: str) -> str:
    """Return the plural of a noun phrase: "red cups", "people in black" for "person in black"."""
    head = re.split(r" (?:in|wearing|with|carrying) ", noun)[0]
    return _plural(head) + noun[len(head) :]


def _plural(noun: str) -> str:
    *before, last = noun.split(" ")
    if noun in _PLURALS or last not in _PLURALS:
        return _PLURALS.get(noun) or pluralize(noun)
    return " ".join([*before, _PLURALS[last]])


def article(noun: str) -> str:
    return "an" if noun[0] in "aeio" or noun.startswith("umbrella") else "a"


def names(category: str) -> tuple[str, ...]:
    """Return the category's own name and its synonyms."""
    return (category, *SYNONYMS.get(category, ()))


def look_alikes(category: str) -> set[str]:
    """Return the other categories that look or are used alike."""
    return {other for group in LOOK_ALIKES if category in group for other in group} - {category}


def excluded_by(noun: str) -> set[str]:
    """Return the words that fit no person whom `noun` fits."""
    return FEMALE if noun in MALE else MALE if noun in FEMALE else set()
