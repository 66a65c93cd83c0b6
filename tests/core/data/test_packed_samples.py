import json
import multiprocessing
import pickle
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from torch.utils.data import DataLoader

from dmmi_core.data.packed_samples import PackedSamples, grouped_by_objects
from dmmi_core.data.samples import KINDS, Sample

TRIANGLE = [[0.1, 0.2, 5.0, 0.0, 3.0, 4.125]]
RLE = {"size": [6, 9], "counts": [4, 3, 47]}
SAMPLES = [
    Sample("a.jpg", "the dög", "one", 6, 9, (TRIANGLE,)),
    Sample("a.jpg", "lone \ud800", "one", 6, 9, (TRIANGLE,)),
    Sample("b/ü.png", 'two "cups"\n', "many", 6, 9, (TRIANGLE, RLE)),
    Sample("a.jpg", "", "zero", 6, 9, ()),
    Sample("a.jpg", "a zebra", "zero", 6, 9, ()),
]
GROUPS = [0, 0, 1, 2, 2]


@pytest.fixture
def packed() -> PackedSamples:
    return PackedSamples.pack(zip("xxyzz", SAMPLES, strict=True))


def test_every_sample_comes_back(packed):
    assert list(packed) == SAMPLES
    assert len(packed) == 5 and packed[-1] == packed[np.int64(4)] == SAMPLES[4]
    for index in (5, -6):
        with pytest.raises(IndexError):
            packed[index]
    with pytest.raises(TypeError):
        packed[1:2]


def test_kinds_and_groups(packed):
    assert packed.kinds.dtype == np.uint8 and packed.groups.dtype == np.int64
    assert [KINDS[kind] for kind in packed.kinds] == [sample.kind for sample in SAMPLES]
    assert packed.groups.tolist() == GROUPS


def test_images(packed):
    assert packed.images() == ["a.jpg", "b/ü.png"]
    assert packed.image_numbers().tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("which", "expected", "groups"),
    [
        (np.array([False, True, False, True, True]), [1, 3, 4], [0, 1, 1]),
        (np.array([4, 2, 2]), [4, 2, 2], [1, 0, 0]),
        (np.zeros(5, bool), [], []),
    ],
)
def test_a_selection(packed, which, expected, groups):
    chosen = packed.select(which)
    assert list(chosen) == [SAMPLES[i] for i in expected]
    assert chosen.groups.tolist() == groups
    assert chosen.kinds.tolist() == packed.kinds[which].tolist()
    assert chosen.images() == sorted({SAMPLES[i].image for i in expected})
    assert [chosen.images()[n] for n in chosen.image_numbers()] == [SAMPLES[i].image for i in expected]
    assert list(chosen.select(np.arange(len(chosen))[::-1])) == [SAMPLES[i] for i in expected[::-1]]


def test_none_at_all():
    empty = PackedSamples.pack([])
    assert len(empty) == 0 and list(empty) == [] and empty.images() == []
    assert empty.kinds.shape == empty.groups.shape == (0,)


def test_the_objects_of_a_group_are_stored_once():
    polygon = np.random.default_rng(0).uniform(0, 9, 400).tolist()
    sample = Sample("a.jpg", "x", "one", 9, 9, ([polygon],))
    once, often = (
        len(pickle.dumps(PackedSamples.pack((0, sample) for _ in range(count)))) for count in (1, 50)
    )
    assert (often - once) / 49 < 60 < len(json.dumps(polygon))


def test_samples_of_the_same_objects_are_grouped():
    other = Sample("c.jpg", "elsewhere", "one", 6, 9, (TRIANGLE,))
    order = [SAMPLES[0], other, SAMPLES[2], SAMPLES[3], SAMPLES[4], SAMPLES[1]]
    packed = PackedSamples.pack(grouped_by_objects(order))
    assert list(packed) == order
    assert packed.groups.tolist() == [0, 1, 2, 3, 4, 0]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_the_same(packed, method):
    loader = DataLoader(packed, batch_size=2, num_workers=1, multiprocessing_context=method, collate_fn=list)
    for _ in range(2):
        assert [sample for batch in loader for sample in batch] == SAMPLES
    assert list(packed) == SAMPLES and packed.groups.tolist() == GROUPS, "also after it has been handed over"


def private_growth(samples: Sequence[Sample], report) -> None:
    def private() -> int:
        with open("/proc/self/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) // 1024

    before = private()
    total = sum(sum(sample.segmentations[0][0]) for sample in samples)
    report.put((total, private() - before))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_that_reads_everything_does_not_grow(method):
    polygon = np.random.default_rng(0).uniform(0, 9, 4000).tolist()
    samples = PackedSamples.pack(
        (number, Sample("a.jpg", "x", "one", 9, 9, ([polygon],))) for number in range(400)
    )
    context = multiprocessing.get_context(method)
    report = context.SimpleQueue()
    process = context.Process(target=private_growth, args=(samples, report))
    process.start()
    total, grown = report.get()
    process.join()
    assert total == pytest.approx(400 * sum(polygon))
    size = len(json.dumps(polygon)) * 400 / 2**20
    assert size > 25 and grown < size / 4, f"{grown} of {size:.0f} MiB"


def test_samples_of_a_group_are_told_apart_by_their_text_only(packed):
    for (a, first), (b, second) in pairwise(zip(packed.groups, packed, strict=True)):
        if a == b:
            assert (first.image, first.segmentations) == (second.image, second.segmentations)
