"""Targets from masks and boxes, and those of samples at the size of the network."""

import cv2
import numpy as np
import pytest

from dmmi_core.data.dataset import SampleDataset, sample_target
from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.data.samples import KINDS, Sample, encode_mask
from dmmi_core.data.target import MAX_OBJECTS, UNKNOWN, make_target

SHAPE = 6, 8


def area(left: int, top: int, right: int, bottom: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_smaller_of_two_masks_is_in_front():
    large, small = area(0, 0, 6, 6), area(4, 2, 8, 3)
    boxes = [(0, 0, 0.75, 1), (0.5, 1 / 3, 1, 0.5)]
    for order in ([0, 1], [1, 0]):
        target = make_target([(large, small)[i] for i in order], [boxes[i] for i in order], SHAPE)
        numbers = {i: order.index(i) + 1 for i in order}
        assert (target.labels[small] == numbers[1]).all()
        assert (target.labels[large & ~small] == numbers[0]).all()
        assert (target.labels[~(large | small)] == 0).all()
        assert target.boxes.dtype == np.float32 and target.has_mask.all()


def test_a_box_is_unknown_but_where_a_mask_is():
    mask, other = area(0, 0, 3, 3), area(4, 0, 5, 6)
    target = make_target([None, mask], [(0.25, 0, 0.75, 0.5), (0, 0, 0.4, 0.5)], SHAPE, [other])
    assert target.has_mask.tolist() == [False, True]
    assert (target.labels[mask] == 2).all()
    rest = area(2, 0, 6, 3) & ~mask
    assert (target.labels[rest & ~other] == UNKNOWN).all() and (target.labels[other] == 0).all()
    assert (target.labels[~(mask | rest)] == 0).all()


def test_nothing():
    target = make_target([], [], SHAPE)
    assert target.boxes.shape == (0, 4) and target.has_mask.shape == (0,) and not target.labels.any()


def test_more_than_there_are_labels():
    target = make_target([area(0, 0, 1, 1)] * 300, [(0, 0, 1, 1)] * 300, SHAPE)
    assert target.boxes.shape == (MAX_OBJECTS, 4) and target.labels.max() == MAX_OBJECTS < UNKNOWN


def sample(*segmentations, width: int = 1000, height: int = 800) -> Sample:
    return Sample("a.png", "dogs", KINDS[min(len(segmentations), 2)], height, width, segmentations)


def rectangle(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top, right, top, right, bottom, left, bottom]]


def test_a_sample_at_the_size_of_the_network():
    runs = encode_mask(area(500, 400, 1000, 800, (800, 1000)))
    target = sample_target(sample(rectangle(100, 80, 300, 240), runs), 100)
    assert target.boxes == pytest.approx(np.array([[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 1, 1]]))
    assert (target.labels[10:30, 10:30] == 1).all() and (target.labels[50:, 50:] == 2).all()
    assert np.count_nonzero(target.labels) == 20**2 + 50**2


@pytest.mark.parametrize("side", [0.5, 2], ids=["less than a pixel", "two pixels"])
def test_a_tiny_object_keeps_its_box(side):
    x, y = 501.2, 400.2
    target = sample_target(sample(rectangle(x, y, x + side, y + side)), 448)
    left, top, right, bottom = target.boxes[0]
    assert (left, top) == pytest.approx((x / 1000, y / 800), abs=2e-3)
    assert 0 < right - left < 5e-3 and 0 < bottom - top < 5e-3


def test_a_data_set_of_a_tiny_object(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((800, 1000, 3), np.uint8))
    samples = PackedSamples.pack(enumerate([sample(rectangle(501, 401, 501.5, 401.5))]))

    class Only:
        seed = 0

        def __call__(self, position: int) -> int:
            return 0

    image, target, text, _ = SampleDataset(samples, tmp_path, 448, Only(), antialias=False)[3]
    assert image.shape == (448, 448, 3) and text == "dogs"
    assert len(target.boxes) == 1 and target.labels.shape == (448, 448)
