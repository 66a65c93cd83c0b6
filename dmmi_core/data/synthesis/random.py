"""Drawing from options with a generator, so that the same seed draws the same."""

from collections.abc import Sequence

import numpy as np


def pick(rng: np.random.Generator, options: Sequence):
    return options[rng.integers(len(options))]


def shuffled(weights: dict, rng: np.random.Generator) -> list:
    """The keys in a random order, in which those of more weight tend to come first."""
    keys, shares = list(weights), np.array(list(weights.values()), float)
    return [keys[i] for i in rng.choice(len(keys), len(keys), replace=False, p=shares / shares.sum())]
