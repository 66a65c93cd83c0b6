"""Which sample comes when: an endless order of training that can be entered anywhere."""

from functools import lru_cache

import numpy as np


class Schedule:
    """Gives every position of the training its sample, by the seed and the position alone.

    So training can go on from any step, and any process can take any part of a batch. An epoch shows every
    sample, or with `draw_sentence` one sample of every group, in an order of its own.

    kinds: uint8 (N,); groups: int64 (N,), equal for the sentences of one object. `balanced` gives each kind
    that there is the same share of every batch; the rarer ones start a new epoch earlier.
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
        """Where in `_sentences` each group begins, and how many it has."""
        kind_of = kinds[self._sentences[self._first]] if balanced else np.zeros(len(self._first), np.uint8)
        self._members = [np.flatnonzero(kind_of == kind) for kind in np.unique(kind_of)]
        """Groups of each kind."""
        self._order = lru_cache(2 * len(self._members))(self._draw_order)

    @property
    def epoch_length(self) -> int:
        """Positions of one epoch; of the commonest kind, where they are balanced."""
        return max(map(len, self._members)) * len(self._members)

    def __call__(self, position: int) -> int:
        """Index of the sample."""
        turn, kind = divmod(position, len(self._members))
        epoch, place = divmod(turn, len(self._members[kind]))
        group = self._order(kind, epoch)[place]
        choice = np.random.default_rng([self.seed, position]).integers(self._count[group])
        return int(self._sentences[self._first[group] + choice])

    def _draw_order(self, kind: int, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, kind, epoch]).permutation(self._members[kind])
