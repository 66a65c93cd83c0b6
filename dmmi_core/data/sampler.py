"""The order of training samples: endless, and open to random access."""

from functools import lru_cache

import numpy as np


class TrainingSampler:
    """An endless sampler: position -> index of a sample, by the seed and the position alone.

    Training can resume at any step, and any process can take any part of a batch. Each epoch has every sample
    once, or with `draw_sentence` one sample of every group, in a new order.

    kinds: uint8 (N,); groups: int64 (N,), equal for the sentences of one object. With `balanced` the kinds
    that occur have equal shares of every batch; the rarer ones start a new epoch earlier.
    """

    def __init__(
        self, kinds: np.ndarray, groups: np.ndarray, seed: int, *, balanced: bool, draw_sentence: bool
    ):
        self.seed = seed
        if not draw_sentence:
            groups = np.arange(len(groups))
        self._sentences = np.argsort(groups, kind="stable")
        _, self._first, self._count = np.unique(
            groups[self._sentences], return_index=True, return_counts=True
        )
        """Start of each group in `_sentences`, and its size."""
        kind_of = kinds[self._sentences[self._first]] if balanced else np.zeros(len(self._first), np.uint8)
        self._members = [np.flatnonzero(kind_of == kind) for kind in np.unique(kind_of)]
        """Groups of each kind."""
        self._order = lru_cache(2 * len(self._members))(self._draw_order)

    @property
    def epoch_length(self) -> int:
        """Number of positions of an epoch; with balanced kinds, of the most frequent one."""
        return max(map(len, self._members)) * len(self._members)

    def __call__(self, position: int) -> int:
        """Return the index of the sample."""
        turn, kind = divmod(position, len(self._members))
        epoch, place = divmod(turn, len(self._members[kind]))
        group = self._order(kind, epoch)[place]
        choice = np.random.default_rng([self.seed, position]).integers(self._count[group])
        return int(self._sentences[self._first[group] + choice])

    def _draw_order(self, kind: int, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, kind, epoch]).permutation(self._members[kind])
