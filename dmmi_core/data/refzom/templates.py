"""Way (3): the category information in templates, for one-to-one and one-to-many pairs."""

from itertools import combinations

import numpy as np

from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.refzom.pairs import Pair
from dmmi_core.data.synthesis.expressions.basic import categories_in, pair_expression, referring_expressions
from dmmi_core.data.synthesis.validation import judged_view


def template_pairs(image: SourceImage, rng: np.random.Generator) -> list[Pair]:
    """Every text that a template makes of the whole image, once."""
    view = judged_view(image.scene)
    categories = sorted(categories_in(view))
    found = [e for category in categories for e in referring_expressions(view, category, rng)]
    found += [pair_expression(view, *two, rng) for two in combinations(categories, 2)]
    return [_pair(image, e.text, e.targets) for e in found if e is not None]


def _pair(image: SourceImage, text: str, targets: tuple[int, ...]) -> Pair:
    ids = tuple(sorted(image.annotation_ids[i] for i in targets))
    return Pair(image.id, text, ids, "templates")
