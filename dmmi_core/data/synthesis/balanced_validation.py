"""The balanced validation set: about as many samples of every category, from complete labels."""

from collections.abc import Iterable, Iterator

import numpy as np

from dmmi_core.data.lexicon.confusion import CONFUSED_NAMES
from dmmi_core.data.lexicon.names import look_alikes
from dmmi_core.data.samples import Sample
from dmmi_core.data.synthesis.affine_view import View
from dmmi_core.data.synthesis.expressions.basic import Expression, absent_expression, referring_expressions
from dmmi_core.data.synthesis.scenes import Scene
from dmmi_core.data.synthesis.validation import as_sample, judged_view

QUALITY = 0.8
"""Least expected IoU of a mask that scores are measured with; the `mask_quality` for `read_scenes`."""
COUNTS = {"one": 12, "many": 12}
"""Most samples of a category, by kind."""
ZEROS = 4
"""Most one-to-zero samples of a category; half of them show a look-alike."""
ROUNDS = 2
"""Most samples of an image, category and kind."""


def balanced_validation_samples(scenes: list[Scene], seed: int = 0) -> list[Sample]:
    """Return the samples of `scenes`, which hold trusted masks only, ordered by image."""
    judged = [(scene, judged_view(scene)) for scene in sorted(scenes, key=lambda scene: scene.image)]
    found = [
        pair
        for category in sorted({category for scene in scenes for category in scene.complete})
        for pair in _of_category(category, judged, np.random.default_rng([seed, *category.encode()]))
    ]
    found.sort(key=lambda pair: pair[0].image)
    return [as_sample(scene, expression) for scene, expression in found]


def _of_category(
    category: str, judged: list[tuple[Scene, View]], rng: np.random.Generator
) -> Iterator[tuple[Scene, Expression]]:
    judged = [judged[i] for i in rng.permutation(len(judged))]
    said = [(scene, referring_expressions(view, category, rng)) for scene, view in judged]
    for kind, count in COUNTS.items():
        options = [(scene, [e for e in found if e.kind == kind]) for scene, found in said]
        yield from list(_by_turns(options, rng))[:count]
    if any(found for _, found in said):
        lacking = [(scene, view) for scene, view in judged if _certainly_lacks(view, category)]
        for scene in _look_alikes_first(category, lacking):
            yield scene, absent_expression(category, rng)


def _by_turns(
    options: list[tuple[Scene, list[Expression]]], rng: np.random.Generator
) -> Iterator[tuple[Scene, Expression]]:
    """Yield one expression of each image, then a second one of each."""
    mixed = [(scene, rng.permutation(len(found)).tolist(), found) for scene, found in options]
    for turn in range(ROUNDS):
        yield from ((scene, found[order[turn]]) for scene, order, found in mixed if turn < len(order))


def _certainly_lacks(view: View, category: str) -> bool:
    """Return whether the view has nothing that people call by the category's name."""
    return view.lacks(category) and not any(view.members(other) for other in CONFUSED_NAMES.get(category, ()))


def _look_alikes_first(category: str, lacking: Iterable[tuple[Scene, View]]) -> list[Scene]:
    """Return ZEROS images that lack a category, up to half of them with a look-alike."""
    like = look_alikes(category)
    alike = [scene for scene, view in lacking if any(item.category in like for item in view.objects)]
    chosen = alike[: ZEROS // 2]
    names = {scene.image for scene in chosen}
    return [*chosen, *(scene for scene, _ in lacking if scene.image not in names)][:ZEROS]
