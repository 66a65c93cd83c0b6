"""Random choices that depend on a generator alone, so that a seed reproduces them."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Return one of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]


def shuffled(weights: dict[T, float], rng: np.random.Generator) -> list[T]:
    """Return the keys in a random order; those of more weight tend to come first."""
    keys, shares = list(weights), np.array(list(weights.values()), float)
    return [keys[i] for i in rng.choice(len(keys), len(keys), replace=False, p=shares / shares.sum())]
