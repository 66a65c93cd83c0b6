"""The hard validation set: all wordings of the training texts, and one-to-zero texts that nearly fit."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dmmi_core.data.lexicon.names import look_alikes
from dmmi_core.data.samples import Sample
from dmmi_core.data.synthesis.captions import apply_captions, phrases_of
from dmmi_core.data.synthesis.expressions.basic import Expression, categories_in
from dmmi_core.data.synthesis.expressions.negative import negative_expression
from dmmi_core.data.synthesis.expressions.positive import positive_expression
from dmmi_core.data.synthesis.images.augmentation import warp, whole_view
from dmmi_core.data.synthesis.images.categories import CategoryIndex
from dmmi_core.data.synthesis.images.composition import AnnotatedImage, read_pixels
from dmmi_core.data.synthesis.scenes import Phrase, Scene
from dmmi_core.data.synthesis.validation import JUDGED_SIZE, as_sample, judged_view

COUNTS = {"one": 2, "many": 1}
"""Most samples of an image and kind."""
ZEROS = 1
"""Most one-to-zero samples of an image about a category that is present, and about one that is absent."""


def hard_validation_samples(scenes: list[Scene], images: str | Path, seed: int = 0) -> list[Sample]:
    """Return the samples of `scenes`, whose images are in the folder `images`: colours need their pixels."""
    phrases = [phrase for scene in scenes for phrase in phrases_of(scene)]
    scenes = [apply_captions(scene) for scene in scenes]
    index = CategoryIndex(scenes)
    return [
        as_sample(scene, expression)
        for scene in scenes
        for expression in _expressions(scene, Path(images), index, phrases, seed)
    ]


def _expressions(
    scene: Scene, images: Path, index: CategoryIndex, phrases: Sequence[Phrase], seed: int
) -> Iterator[Expression]:
    rng = np.random.default_rng([seed, *Path(scene.image).name.encode()])
    image = _whole_image(scene, images)
    present = sorted(categories_in(image.view))
    for kind, count in COUNTS.items():
        found = (
            positive_expression(image, kind, category, rng) for category in rng.permutation(present).tolist()
        )
        yield from [expression for expression in found if expression][:count]
    absent = [category for category in sorted(image.view.complete) if image.view.lacks(category)]
    like = [category for category in absent if look_alikes(category) & set(present)]
    for among in (present, like or absent):
        found = (
            negative_expression(image, category, [p for p in phrases if p.category == category], rng)
            for category in index.draw(rng, len(among), among=among)
        )
        yield from [expression for expression in found if expression][:ZEROS]


def _whole_image(scene: Scene, images: Path) -> AnnotatedImage:
    matrix = whole_view(scene, JUDGED_SIZE)
    pixels = warp(read_pixels(scene, images), matrix, JUDGED_SIZE)
    return AnnotatedImage(pixels, judged_view(scene))
