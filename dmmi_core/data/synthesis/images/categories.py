"""An index of the images that hold or lack each category, and the weights to draw categories with."""

import numpy as np

from dmmi_core.data.synthesis.scenes import Scene

CATEGORY_POWER = 0.7
"""Default exponent: a category's weight is the number of its images to this power, so that rare ones are
drawn more often than they occur."""


class CategoryIndex:
    """Indices of the scenes that certainly hold a category, `present`, or certainly lack it, `absent`.

    Positive and one-to-zero texts draw with the same weights, so that a text alone tells as little as
    possible about whether its target is present.
    """

    def __init__(self, scenes: list[Scene], power: float = CATEGORY_POWER):
        self.power = power
        every = sorted({category for scene in scenes for category in scene.complete})
        present: dict[str, list[int]] = {category: [] for category in every}
        self.absent: dict[str, list[int]] = {category: [] for category in every}
        for index, scene in enumerate(scenes):
            held = {item.category for item in scene.objects}
            for category in scene.complete:
                (present if category in held else self.absent)[category].append(index)
        self.present = {category: found for category, found in present.items() if found}

    def draw(self, rng: np.random.Generator, count: int, among: list[str] | None = None) -> list[str]:
        """Draw `count` different categories that some scene holds, or all if there are fewer."""
        names = list(self.present) if among is None else [c for c in among if c in self.present]
        weights = np.array([len(self.present[c]) for c in names]) ** self.power
        chosen = rng.choice(
            len(names),
            size=min(count, len(names)),
            replace=False,
            p=weights / weights.sum() if names else None,
        )
        return [names[i] for i in chosen]
