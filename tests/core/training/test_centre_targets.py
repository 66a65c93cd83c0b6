"""Targets of the instance head, against the same in loops over objects and pixels."""

import math

import pytest
import torch

from dmmi_core.data.target import UNKNOWN
from dmmi_core.training.centre_targets import LEAST_SPREAD, SPREAD, centre_targets

SIDE, MAP = 32, 8


@pytest.fixture
def objects():
    """Two objects with masks and one with a box only; a second sample without any."""
    labels = torch.zeros(2, SIDE, SIDE, dtype=torch.uint8)
    labels[0, 4:20, 8:16] = 1
    labels[0, 8:28, 16:30] = 2
    labels[0, 24:32, 0:8] = UNKNOWN
    boxes = torch.zeros(2, 3, 4)
    boxes[0] = torch.tensor([[8, 4, 16, 20], [16, 8, 30, 28], [0, 24, 8, 32]]) / SIDE
    return labels, boxes, torch.tensor([3, 0])


def test_heat_is_one_at_the_middle_of_each_box(objects):
    labels, boxes, count = objects
    heat = centre_targets(labels, boxes, count, (MAP, MAP)).heat
    expected = torch.zeros(MAP, MAP)
    for left, top, right, bottom in boxes[0].tolist():
        column, row = int((left + right) / 2 * MAP), int((top + bottom) / 2 * MAP)
        across, down = (max(SPREAD * side * MAP, LEAST_SPREAD) for side in (right - left, bottom - top))
        for y in range(MAP):
            for x in range(MAP):
                near = math.exp(-((x - column) ** 2) / (2 * across**2) - (y - row) ** 2 / (2 * down**2))
                expected[y, x] = max(expected[y, x], near)
    torch.testing.assert_close(heat[0], expected)
    assert not heat[1].any()
    assert (heat[0] == 1).sum() == 3


def test_offsets_lead_to_the_middle_of_the_box(objects):
    labels, boxes, count = objects
    targets = centre_targets(labels, boxes, count, (MAP, MAP))
    near = labels[0, 2::4, 2::4]
    for y in range(MAP):
        for x in range(MAP):
            number = int(near[y, x])
            if number in (0, UNKNOWN):
                assert targets.weights[0, y, x] == 0
                continue
            left, top, right, bottom = boxes[0, number - 1]
            way = torch.stack([(left + right) / 2 - (x + 0.5) / MAP, (top + bottom) / 2 - (y + 0.5) / MAP])
            torch.testing.assert_close(targets.offsets[0, :, y, x], way)
            assert targets.weights[0, y, x] == 1 / (near == number).sum()
    assert not targets.weights[1].any()
