"""A second fixed set of validation samples: every wording there is, and one-to-zero texts that nearly fit."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dmmi_core.data.lexicon.names import look_alikes
from dmmi_core.data.samples import Sample, read_image
from dmmi_core.data.synthesis.captions import inform, phrases_of
from dmmi_core.data.synthesis.expressions.basic import Expression, categories_in
from dmmi_core.data.synthesis.expressions.negative import deny
from dmmi_core.data.synthesis.expressions.positive import refer
from dmmi_core.data.synthesis.images.augmentation import warp, whole_view
from dmmi_core.data.synthesis.images.categories import CategoryIndex
from dmmi_core.data.synthesis.images.composition import Picture
from dmmi_core.data.synthesis.scenes import Phrase, Scene
from dmmi_core.data.synthesis.validation import JUDGED_SIZE, as_sample, judged_view

COUNTS = {"one": 2, "many": 1}
ZEROS = 1
"""Samples of each photograph, at most: of each kind; and about what is there, and about what is not."""


def hard_validation_samples(scenes: list[Scene], images: str | Path, seed: int = 0) -> list[Sample]:
    """`images` is the folder of the photographs: colours are read off their pixels."""
    phrases = [phrase for scene in scenes for phrase in phrases_of(scene)]
    scenes = [inform(scene) for scene in scenes]
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
    picture = _whole(scene, images)
    there = sorted(categories_in(picture.view))
    for kind, count in COUNTS.items():
        found = (refer(picture, kind, category, rng) for category in rng.permutation(there).tolist())
        yield from [expression for expression in found if expression][:count]
    lacking = [category for category in sorted(picture.view.complete) if picture.view.lacks(category)]
    like = [category for category in lacking if look_alikes(category) & set(there)]
    for among in (there, like or lacking):
        found = (
            deny(picture, category, [p for p in phrases if p.category == category], rng)
            for category in index.draw(rng, len(among), among=among)
        )
        yield from [expression for expression in found if expression][:ZEROS]


def _whole(scene: Scene, images: Path) -> Picture:
    matrix = whole_view(scene, JUDGED_SIZE)
    image = warp(read_image(images / scene.image), matrix, JUDGED_SIZE)
    return Picture(image, judged_view(scene))
