"""Stems in captions that show that an image may hold a category."""

from dmmi_core.data.lexicon.names import ANIMALS

SALIENT = {
    "airplane": "plane|airplane|jet|aircraft|airport|aeroplane",
    "bus": "bus|decker|coach",
    "train": "train|locomotive|subway|tram|rail|station",
    "motorcycle": "motor|bike|biker|scooter|moped",
    "cat": "cat|kitten|kitty",
    "dog": "dog|pupp|pup|terrier|poodle",
    "horse": "horse|pony|ponies|carriage|rider|jockey",
    "sheep": "sheep|lamb|herd|goat|flock",
    "elephant": "elephant",
    "bear": "bear",
    "zebra": "zebra",
    "giraffe": "giraffe",
    "parking meter": "meter|parking",
    "fire hydrant": "hydrant",
    "frisbee": "frisb|disc|disk",
    "skis": "ski|slope",
    "snowboard": "snowboard|board|slope",
    "kite": "kite|sail|fly",
    "skateboard": "skate|board",
    "umbrella": "umbrella|parasol",
    "hot dog": "hot ?dog|hotdog|sausage|bun|lunch|sandwich",
    "pizza": "pizza|slice",
    "bed": "bed|hotel",
    "laptop": "laptop|computer|desk|office",
    "toilet": "toilet|bathroom|restroom|urinal|stall",
    "teddy bear": "bear|stuffed|toy|teddy",
    "cake": "cake|dessert|birthday|pastr",
    "banana": "banana|fruit|produce|market",
}
"""Stems, joined by |, of the words for categories that captions nearly always mention if they are present."""
GENERIC = {
    "animal": ANIMALS,
    "food|meal|dish|dinner|lunch|eat|snack|plate": {"hot dog", "pizza", "cake", "banana"},
    "vehicle|traffic|transport|street|road": {"bus", "train", "motorcycle"},
    "toy|doll": {"teddy bear"},
}
"""Stems of wider words, joined by |, and the salient categories that they may stand for."""
