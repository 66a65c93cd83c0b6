"""The builder of a dataset's pairs, each split by itself.

The draws for an image depend on the seed and on the image alone; those of one-to-zero texts, which come from
other images, also on the images of the same split.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np

from dmmi_core.data.refzom.caption_candidates import candidate_pairs
from dmmi_core.data.refzom.category_terms import Vocabulary
from dmmi_core.data.refzom.combine import combined_pairs
from dmmi_core.data.refzom.conflicts import ConflictChecker
from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.refzom.templates import template_pairs
from dmmi_core.data.refzom.text_image_pairs import STRATEGIES, Pair

SPLITS = ("train", "test")
ZERO_SHARE = 0.2
"""Share kept for one-to-zero pairs, of the images without expressions that certainly lack a category."""
PER_STRATEGY = 2
"""Most pairs of an image by each strategy."""
MAX_TRIES = 200
"""Most texts to try on an image until one refers to nothing in it."""


@dataclass
class BuiltDataset:
    """Pairs by split, candidates for strategy (1), and counts of rejected one-to-zero texts by reason."""

    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    candidates: list[Pair] = field(default_factory=list)
    rejected: Counter = field(default_factory=Counter)


def build(images: list[SourceImage], vocabulary: Vocabulary, *, seed: int, test_share: int) -> BuiltDataset:
    """Build all splits; one image in `test_share`, chosen by its file name, is in the test split."""
    built, checker = BuiltDataset(), ConflictChecker(vocabulary)
    for split in SPLITS:
        of_split = [p for p in images if is_test(p.scene.image, test_share) == (split == "test")]
        kept = [p for p in of_split if _is_kept_for_zero(p, seed)]
        kept_ids = {p.id for p in kept}
        described = [p for p in of_split if p.id not in kept_ids]
        pairs = [pair for p in described for pair in _described(p, seed)]
        pairs += _zeros(kept, _text_pools(of_split, pairs), checker, seed, built.rejected)
        built.pairs[split] = sorted(pairs, key=lambda pair: pair.image_id)
        built.candidates += [pair for p in described for pair in candidate_pairs(p, vocabulary)]
    return built


def _rng(seed: int, step: str, image: SourceImage) -> np.random.Generator:
    return np.random.default_rng([seed, *step.encode(), 0, *image.scene.image.encode()])


def is_test(image: str, share: int) -> bool:
    """Return whether an image is in the test split: one in `share`, chosen by its file name.

    The hash differs from that of `is_validation`, so that a share of the training split can be held out.
    """
    return crc32(f"test {Path(image).name}".encode()) % share == 0


def _is_kept_for_zero(image: SourceImage, seed: int) -> bool:
    unused = not image.expressions and not image.checked
    absent = image.scene.complete - image.present
    return unused and bool(absent) and _rng(seed, "keep", image).random() < ZERO_SHARE


def _described(image: SourceImage, seed: int) -> list[Pair]:
    """Return one-to-one and one-to-many pairs of an image: some of each strategy, all of the checked ones."""
    rng = _rng(seed, "describe", image)
    told = _unambiguous([*image.checked, *image.expressions, *template_pairs(image, rng)])
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in _unambiguous([*told, *_combined(told, rng)]):
        groups.setdefault((pair.kind, pair.strategy), []).append(pair)
    return [
        pair
        for (_, strategy), group in groups.items()
        for pair in (group if strategy == "captions" else _some(group, rng))
    ]


def _combined(told: list[Pair], rng: np.random.Generator) -> list[Pair]:
    """Combine expressions that people wrote if there are enough of them, else those of templates too."""
    single = [pair for pair in told if pair.kind == "one"]
    written = [pair for pair in single if pair.strategy == "expressions"]
    enough = len({pair.targets for pair in written}) > 1
    return combined_pairs(written if enough else single, PER_STRATEGY, rng)


def _unambiguous(pairs: list[Pair]) -> list[Pair]:
    """Return the first pair of each text, without the texts that have two meanings."""
    meanings: dict[str, set] = {}
    for pair in pairs:
        meanings.setdefault(pair.text.lower(), set()).add(pair.targets)
    first = {pair.text.lower(): pair for pair in reversed(pairs)}
    return [p for p in pairs if len(meanings[p.text.lower()]) == 1 and first[p.text.lower()] is p]


def _some(pairs: list[Pair], rng: np.random.Generator) -> list[Pair]:
    return [pairs[i] for i in sorted(rng.permutation(len(pairs))[:PER_STRATEGY])]


def _text_pools(images: list[SourceImage], pairs: list[Pair]) -> list[list[Pair]]:
    """Return texts for one-to-zero pairs by strategy, as pairs with the image that they were written for."""
    captions = [Pair(p.id, caption, (), "captions") for p in images for caption in p.captions]
    others = [
        Pair(p.image_id, p.text, (), p.strategy) for p in pairs if p.strategy in ("expressions", "templates")
    ]
    pools = [
        [text for text in (*captions, *others) if text.strategy == strategy]
        for strategy in STRATEGIES["zero"]
    ]
    return [pool for pool in pools if pool]


def _zeros(
    kept: list[SourceImage], pools: list[list[Pair]], checker: ConflictChecker, seed: int, rejected: Counter
) -> Iterator[Pair]:
    """Yield one pair for each image that a text is found for."""
    for image in kept if pools else ():
        for text in _drawn(pools, _rng(seed, "zero", image)):
            reason = checker.conflict(text.text, image)
            if reason is None:
                yield Pair(image.id, text.text, (), text.strategy)
                break
            rejected[reason] += 1


def _drawn(pools: list[list[Pair]], rng: np.random.Generator) -> Iterator[Pair]:
    for _ in range(MAX_TRIES):
        pool = pools[rng.integers(len(pools))]
        yield pool[rng.integers(len(pool))]
