"""Which photographs can serve which category, and how often each category is drawn."""

import numpy as np

from dmmi_core.data.synthesis.scenes import Scene

CATEGORY_POWER = 0.7
"""Categories are drawn in proportion to the number of their photographs to this power, if to no other: less
unevenly than they occur."""


class CategoryIndex:
    """For each category, the scenes (by index) known to hold it, `present`, and known not to, `absent`.

    Positive and one-to-zero texts draw from the same weights, so that a text by itself says as little as
    the data allow about whether its target is there.
    """

    def __init__(self, scenes: list[Scene], power: float = CATEGORY_POWER):
        self.power = power
        every = sorted({category for scene in scenes for category in scene.complete})
        present: dict[str, list[int]] = {category: [] for category in every}
        self.absent: dict[str, list[int]] = {category: [] for category in every}
        for index, scene in enumerate(scenes):
            there = {item.category for item in scene.objects}
            for category in scene.complete:
                (present if category in there else self.absent)[category].append(index)
        self.present = {category: found for category, found in present.items() if found}

    def draw(self, rng: np.random.Generator, count: int, among: list[str] | None = None) -> list[str]:
        """`count` different categories that some scene holds, or all if there are fewer."""
        names = list(self.present) if among is None else [c for c in among if c in self.present]
        weights = np.array([len(self.present[c]) for c in names]) ** self.power
        chosen = rng.choice(
            len(names),
            size=min(count, len(names)),
            replace=False,
            p=weights / weights.sum() if names else None,
        )
        return [names[i] for i in chosen]
