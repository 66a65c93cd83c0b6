"""Categories that people take for one another.

The two tables answer different questions; each shapes the one-to-zero texts of its dataset.
`CONFUSED_NAMES` is about words, has a direction, and is short, as generated texts use exact names.
`CONFUSED_OBJECTS` is about objects, is symmetric, and is generous, as people wrote the texts that it checks.
"""

CONFUSED_NAMES = {
    "bear": {"teddy bear"},
    "cup": {"wine glass"},
    "wine glass": {"cup"},
    "couch": {"chair"},
}
"""Categories that people also call by the name of the key; while one is present, the key is not asked for as
missing."""

CONFUSED_OBJECTS = (
    frozenset(["car", "truck"]),
    frozenset(["chair", "couch", "bench"]),
    frozenset(["couch", "bed"]),
    frozenset(["cup", "wine glass", "bottle", "bowl"]),
    frozenset(["backpack", "handbag", "suitcase"]),
    frozenset(["tv", "laptop"]),
    frozenset(["skis", "snowboard"]),
    frozenset(["donut", "cake"]),
    frozenset(["sandwich", "hot dog"]),
    frozenset(["oven", "microwave"]),
    frozenset(["potted plant", "vase"]),
)
"""Groups of categories whose objects one annotator labels as one and another annotator as another."""
