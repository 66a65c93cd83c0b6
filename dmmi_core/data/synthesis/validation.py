"""The plain validation set: fixed samples of whole images at their own size."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dmmi_core.data.samples import Sample
from dmmi_core.data.synthesis.affine_view import View, view_scene
from dmmi_core.data.synthesis.expressions.basic import (
    Expression,
    absent_expression,
    categories_in,
    referring_expressions,
)
from dmmi_core.data.synthesis.images.augmentation import whole_view
from dmmi_core.data.synthesis.images.categories import CategoryIndex
from dmmi_core.data.synthesis.scenes import Scene

COUNTS = {"zero": 3, "one": 2, "many": 2}
"""Most samples of an image, by kind."""
JUDGED_SIZE = 256
"""Side of the view, in pixels, that expressions are generated from."""


def validation_samples(scenes: list[Scene], seed: int = 0) -> list[Sample]:
    """Return the samples of `scenes`; those of an image depend on the seed and on its name."""
    index = CategoryIndex(scenes)
    return [sample for scene in scenes for sample in _scene_samples(scene, index, seed)]


def _scene_samples(scene: Scene, index: CategoryIndex, seed: int) -> Iterator[Sample]:
    rng = np.random.default_rng([seed, *scene.image.encode()])
    view = judged_view(scene)
    present = categories_in(view)
    found = [e for category in present for e in referring_expressions(view, category, rng)]
    absent = sorted(scene.complete - set(present))
    found += [absent_expression(category, rng) for category in index.draw(rng, COUNTS["zero"], among=absent)]
    for kind, count in COUNTS.items():
        options = [e for e in found if e.kind == kind]
        chosen = rng.permutation(len(options))[:count]
        yield from (as_sample(scene, options[i]) for i in sorted(chosen))


def judged_view(scene: Scene) -> View:
    """Return a view of the whole image in which expressions may refer only to objects with masks."""
    view = view_scene(scene, whole_view(scene, JUDGED_SIZE), JUDGED_SIZE)
    return replace(view, masks_only=True)


def as_sample(scene: Scene, expression: Expression) -> Sample:
    """Return a sample of the whole image; all targets have masks."""
    polygons = (scene.objects[i].polygons or () for i in expression.targets)
    segmentations = tuple([polygon.round(1).ravel().tolist() for polygon in item] for item in polygons)
    return Sample(scene.image, expression.text, expression.kind, scene.height, scene.width, segmentations)
