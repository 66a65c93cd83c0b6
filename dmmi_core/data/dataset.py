"""Training samples, made afresh from photographs with masks."""

from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from dmmi_core.data.augmentation import jitter, random_view, warp
from dmmi_core.data.categories import CategoryIndex
from dmmi_core.data.expressions import (
    Expression,
    absent_expression,
    categories_in,
    pair_expression,
    referring_expressions,
)
from dmmi_core.data.samples import read_image
from dmmi_core.data.scenes import Scene, View, view_scene
from dmmi_core.errors import InputError

KIND_SHARES = {"zero": 0.3, "one": 0.4, "many": 0.3}
PAIR_SHARE = 0.2
"""Of the one-to-many samples: those that name two categories, where there are two."""
TRIES = 1000


class SceneDataset(Dataset):
    """Endless samples: item i depends on the seed and on i alone, so that training resumes exactly.

    First a kind and a category are drawn, then a photograph and a view of it that can serve them.
    """

    def __init__(self, scenes: list[Scene], images: str | Path, size: int, seed: int):
        self.scenes, self.images, self.size, self.seed = scenes, Path(images), size, seed
        self.categories = CategoryIndex(scenes)
        if not self.categories.present:
            raise InputError("no photograph to train on has an object of a fully labelled category")

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, str, int]:
        """Image uint8 RGB (S, S, 3), mask bool (S, S), text, and a seed for what is drawn later."""
        rng = np.random.default_rng([self.seed, index])
        kind = rng.choice(list(KIND_SHARES), p=list(KIND_SHARES.values()))
        scene, matrix, view, expression = self._draw(kind, rng)
        image = warp(read_image(self.images / scene.image), matrix, self.size)
        return (
            jitter(image, rng),
            target_mask(view, expression, self.size),
            expression.text,
            int(rng.integers(2**31)),
        )

    def _draw(self, kind: str, rng: np.random.Generator) -> tuple[Scene, np.ndarray, View, Expression]:
        for _ in range(TRIES):  # most photographs can serve only some kinds
            (category,) = self.categories.draw(rng, 1)
            candidates = (self.categories.absent if kind == "zero" else self.categories.present)[category]
            if not candidates:
                continue
            scene = self.scenes[candidates[rng.integers(len(candidates))]]
            matrix = random_view(scene, self.size, rng)
            view = view_scene(scene, matrix, self.size)
            expression = _express(view, kind, category, rng)
            if expression is not None:
                return scene, matrix, view, expression
        raise InputError(f"found no sample of kind {kind!r} in {TRIES} tries: too few annotated photographs")


def _express(view: View, kind: str, category: str, rng: np.random.Generator) -> Expression | None:
    if kind == "zero":
        return absent_expression(category, rng)  # what the photograph lacks, every view of it lacks
    if kind == "many" and rng.random() < PAIR_SHARE:
        others = [c for c in categories_in(view) if c != category]
        pair = pair_expression(view, category, others[rng.integers(len(others))], rng) if others else None
        if pair is not None:
            return pair
    options = [e for e in referring_expressions(view, category, rng) if e.kind == kind]
    return options[rng.integers(len(options))] if options else None


def target_mask(view: View, expression: Expression, size: int) -> np.ndarray:
    """Union of the expression's targets, bool (size, size)."""
    mask = np.zeros((size, size), bool)
    for index in expression.targets:
        mask |= view.objects[index].mask
    return mask
