"""The order of training: every sample once an epoch, kinds in equal shares, from any position the same."""

from collections import Counter

import numpy as np
import pytest

from dmmi_core.data.sampler import TrainingSampler

KINDS = np.array([1, 1, 1, 1, 1, 1, 2, 2, 0, 1, 1, 2], np.uint8)
GROUPS = np.array([0, 0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 6])


def sampler(seed=0, balanced=False, draw_sentence=False, kinds=KINDS, groups=GROUPS) -> TrainingSampler:
    return TrainingSampler(kinds, groups, seed, balanced=balanced, draw_sentence=draw_sentence)


def taken(order: TrainingSampler, start: int, stop: int) -> list[int]:
    return [order(position) for position in range(start, stop)]


def test_an_epoch_has_every_sample_once_in_an_order_of_its_own():
    order = sampler()
    assert order.epoch_length == 12
    epochs = [taken(order, 12 * n, 12 * n + 12) for n in range(3)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_one_sentence_of_each_object():
    order = sampler(draw_sentence=True)
    assert order.epoch_length == 7
    epochs = [taken(order, 7 * n, 7 * n + 7) for n in range(40)]
    assert all(sorted(GROUPS[epoch]) == list(range(7)) for epoch in epochs)
    counts = Counter(i for epoch in epochs for i in epoch)
    assert counts.keys() == set(range(12))  # drawn afresh each time
    assert all(counts[i] > 5 for i in (0, 1, 2)) and counts[5] == 40


def test_groups_need_not_be_in_order():
    shuffled = np.random.default_rng(0).permutation(12)
    order = sampler(draw_sentence=True, kinds=KINDS[shuffled], groups=GROUPS[shuffled] + 7)
    assert sorted(GROUPS[shuffled][taken(order, 0, 7)]) == list(range(7))


@pytest.mark.parametrize("size", [3, 4, 8])
def test_every_batch_is_balanced(size):
    order = sampler(balanced=True)
    for start in range(0, 20 * size, size):
        counts = Counter(KINDS[taken(order, start, start + size)])
        assert max(counts.values()) - min(counts[kind] for kind in (0, 1, 2)) <= 1
    assert order.epoch_length == 8 * 3
    ones = [i for i in taken(order, 0, 24) if KINDS[i] == 1]
    assert sorted(ones) == sorted(np.flatnonzero(KINDS == 1))


def test_kinds_that_there_are_not_have_no_share():
    only = sampler(balanced=True, kinds=np.ones(12, np.uint8))
    assert sorted(taken(only, 0, 12)) == list(range(12))


def test_any_position_in_any_order_is_the_same():
    expected = taken(sampler(balanced=True, draw_sentence=True), 0, 100)
    again = sampler(balanced=True, draw_sentence=True)
    shuffled = np.random.default_rng(1).permutation(100)
    assert {p: again(p) for p in shuffled} == dict(enumerate(expected))
    assert taken(sampler(seed=1, balanced=True, draw_sentence=True), 0, 100) != expected
