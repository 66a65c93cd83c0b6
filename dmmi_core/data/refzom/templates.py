"""Strategy (3): templates filled with category information, for one-to-one and one-to-many pairs."""

from itertools import combinations

import numpy as np

from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.refzom.text_image_pairs import Pair
from dmmi_core.data.synthesis.expressions.basic import categories_in, pair_expression, referring_expressions
from dmmi_core.data.synthesis.validation import judged_view


def template_pairs(image: SourceImage, rng: np.random.Generator) -> list[Pair]:
    """Return one pair for each template that fits the whole image."""
    view = judged_view(image.scene)
    categories = sorted(categories_in(view))
    found = [e for category in categories for e in referring_expressions(view, category, rng)]
    joint = [pair_expression(view, *two, rng) for two in combinations(categories, 2)]
    found += [expression for expression in joint if expression is not None]
    return [_pair(image, expression.text, expression.targets) for expression in found]


def _pair(image: SourceImage, text: str, targets: tuple[int, ...]) -> Pair:
    ids = tuple(sorted(image.annotation_ids[i] for i in targets))
    return Pair(image.id, text, ids, "templates")
