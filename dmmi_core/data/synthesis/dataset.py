"""Endless training samples, generated from annotated images."""

from collections import defaultdict
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from dmmi_core.data.left_out import BAD_SHARE, UnreadableImages
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.captions import apply_captions, phrases_of
from dmmi_core.data.synthesis.expressions.basic import Expression
from dmmi_core.data.synthesis.expressions.negative import negative_expression
from dmmi_core.data.synthesis.expressions.positive import positive_expression
from dmmi_core.data.synthesis.images.augmentation import degrade
from dmmi_core.data.synthesis.images.composition import AnnotatedImage
from dmmi_core.data.synthesis.images.sampling import ImageSampler
from dmmi_core.data.synthesis.scenes import Phrase, Scene
from dmmi_core.data.target import Target, make_target
from dmmi_core.errors import InputError

KIND_SHARES = {"zero": 0.37, "one": 0.37, "many": 0.26}
UNTRUE_SHARE = 0.45
"""Share of the one-to-zero samples that name a category of the image and say something false of it."""
PERSON_SHARE = 0.2
"""Share of the samples for which "person" is the category in any case: half of all images show persons."""
MAX_TRIES = 1000
TRIES_PER_CATEGORY = 8
"""Images to try before another category is drawn. With few, easy categories such as persons would displace
others."""


class SceneDataset(Dataset):
    """A dataset without end: item i depends on the seed and on i alone, so that training resumes exactly.

    An item draws a kind and a category, then an image that suits both, then an expression for the image.
    After an image that cannot be read, or has another size than its annotation, it draws again. Raises
    InputError if more than `bad_share` of the images are like that.
    """

    def __init__(
        self,
        scenes: list[Scene],
        images: str | Path,
        size: int,
        seed: int,
        *,
        bad_share: float = BAD_SHARE,
    ):
        self.size, self.seed = size, seed
        self.unreadable = UnreadableImages(len(scenes), bad_share)
        self.sampler = ImageSampler([apply_captions(scene) for scene in scenes], images, size)
        self.phrases: dict[str, list[Phrase]] = defaultdict(list)
        for phrase in (phrase for scene in scenes for phrase in phrases_of(scene)):
            self.phrases[phrase.category].append(phrase)
        if not self.sampler.present:
            raise InputError("no photograph to train on has an object of a fully labelled category")

    def __getitem__(self, index: int) -> tuple[np.ndarray, Target, str, int]:
        """Return the image, uint8 RGB (S, S, 3), the target, the text, and a seed for later draws."""
        rng = np.random.default_rng([self.seed, index])
        kind = rng.choice(list(KIND_SHARES), p=list(KIND_SHARES.values()))
        image, expression = self._draw(kind, rng)
        return (
            degrade(image.pixels, rng),
            target_of(image.view, expression, self.size),
            expression.text,
            int(rng.integers(2**31)),
        )

    def _draw(self, kind: str, rng: np.random.Generator) -> tuple[AnnotatedImage, Expression]:
        for attempt in range(MAX_TRIES):  # most images suit only some kinds
            if attempt % TRIES_PER_CATEGORY == 0:
                category = self._draw_category(rng)
            untrue = kind == "zero" and rng.random() < UNTRUE_SHARE
            image = self._sample(category, "one" if untrue else kind, rng)
            if image is None:
                continue
            expression = self._express(image, kind, category, rng)
            if expression is not None:
                return image, expression
        raise InputError(
            f"found no sample of kind {kind!r} in {MAX_TRIES} tries: too few annotated photographs"
        )

    def _sample(self, category: str, kind: str, rng: np.random.Generator) -> AnnotatedImage | None:
        try:
            return self.sampler.sample(category, kind, rng)
        except InputError as error:
            self.unreadable.add(error)
            return None

    def _draw_category(self, rng: np.random.Generator) -> str:
        if rng.random() < PERSON_SHARE and "person" in self.sampler.present:
            return "person"
        return self.sampler.categories.draw(rng, 1)[0]

    def _express(
        self, image: AnnotatedImage, kind: str, category: str, rng: np.random.Generator
    ) -> Expression | None:
        if kind == "zero":
            return negative_expression(image, category, self.phrases.get(category, ()), rng)
        return positive_expression(image, kind, category, rng)


def target_of(view: View, expression: Expression, size: int) -> Target:
    """Return the target of an expression; masks of other objects of the same categories are background."""
    items = [view.objects[i] for i in expression.targets]
    unclear = {item.category for item in items if item.mask is None}
    others = [
        item.mask
        for index, item in enumerate(view.objects)
        if item.category in unclear and item.mask is not None and index not in expression.targets
    ]
    return make_target([item.mask for item in items], [item.box for item in items], (size, size), others)
