"""Training samples, made afresh from photographs with objects."""

from collections import defaultdict
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from dmmi_core.data.synthesis.captions import inform, phrases_of
from dmmi_core.data.synthesis.expressions.basic import Expression
from dmmi_core.data.synthesis.expressions.negative import deny
from dmmi_core.data.synthesis.expressions.positive import refer
from dmmi_core.data.synthesis.images.augmentation import degrade
from dmmi_core.data.synthesis.images.composition import Picture
from dmmi_core.data.synthesis.images.sampling import Album
from dmmi_core.data.synthesis.scenes import Phrase, Scene
from dmmi_core.data.synthesis.view import View
from dmmi_core.data.target import Target, make_target
from dmmi_core.errors import InputError

KIND_SHARES = {"zero": 0.37, "one": 0.37, "many": 0.26}
UNTRUE_SHARE = 0.45
"""Of the one-to-zero samples: those that ask for something that is there, but not as they say."""
PERSON_SHARE = 0.2
"""Of the samples: those about persons in any case, whom half of the photographs and of the captions show."""
TRIES, PICTURES = 1000, 8
"""Pictures to look for a sample in, of all categories and of one: with few, those that fit easily, such as
persons, would take the place of others."""


class SceneDataset(Dataset):
    """Endless samples: item i depends on the seed and on i alone, so that training resumes exactly.

    First a kind and a category are drawn, then a picture that can serve them, then what to say of it.
    """

    def __init__(self, scenes: list[Scene], images: str | Path, size: int, seed: int):
        self.size, self.seed = size, seed
        self.album = Album([inform(scene) for scene in scenes], images, size)
        self.phrases: dict[str, list[Phrase]] = defaultdict(list)
        for phrase in (phrase for scene in scenes for phrase in phrases_of(scene)):
            self.phrases[phrase.category].append(phrase)
        if not self.album.present:
            raise InputError("no photograph to train on has an object of a fully labelled category")

    def __getitem__(self, index: int) -> tuple[np.ndarray, Target, str, int]:
        """Image uint8 RGB (S, S, 3), target, text, and a seed for what is drawn later."""
        rng = np.random.default_rng([self.seed, index])
        kind = rng.choice(list(KIND_SHARES), p=list(KIND_SHARES.values()))
        picture, expression = self._draw(kind, rng)
        return (
            degrade(picture.image, rng),
            target_of(picture.view, expression, self.size),
            expression.text,
            int(rng.integers(2**31)),
        )

    def _draw(self, kind: str, rng: np.random.Generator) -> tuple[Picture, Expression]:
        for attempt in range(TRIES):  # most photographs can serve only some kinds
            if attempt % PICTURES == 0:
                category = self._category(rng)
            untrue = kind == "zero" and rng.random() < UNTRUE_SHARE
            picture = self.album.picture(category, "one" if untrue else kind, rng)
            expression = picture and self._express(picture, kind, category, rng)
            if expression is not None:
                return picture, expression
        raise InputError(f"found no sample of kind {kind!r} in {TRIES} tries: too few annotated photographs")

    def _category(self, rng: np.random.Generator) -> str:
        if rng.random() < PERSON_SHARE and "person" in self.album.present:
            return "person"
        return self.album.categories.draw(rng, 1)[0]

    def _express(
        self, picture: Picture, kind: str, category: str, rng: np.random.Generator
    ) -> Expression | None:
        if kind == "zero":
            return deny(picture, category, self.phrases.get(category, ()), rng)
        return refer(picture, kind, category, rng)


def target_of(view: View, expression: Expression, size: int) -> Target:
    """Of an expression; other objects of its targets' categories are surely not meant."""
    items = [view.objects[i] for i in expression.targets]
    unclear = {item.category for item in items if item.mask is None}
    others = [
        item.mask
        for index, item in enumerate(view.objects)
        if item.category in unclear and item.mask is not None and index not in expression.targets
    ]
    return make_target([item.mask for item in items], [item.box for item in items], (size, size), others)
