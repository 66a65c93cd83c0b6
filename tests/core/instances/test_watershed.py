"""Watershed of drawn shapes with known objects and necks."""

import cv2
import numpy as np
import pytest

from dmmi_core.instances.grouping import group_instances
from dmmi_core.instances.watershed import watershed


def discs(*circles: tuple[int, int, int], height: int = 120, width: int = 400) -> np.ndarray:
    """Draw circles, x, y and radius each: uint8 (height, width)."""
    image = np.zeros((height, width), np.uint8)
    for x, y, radius in circles:
        cv2.circle(image, (x, y), radius, 1, cv2.FILLED)
    return image


def count(foreground: np.ndarray) -> int:
    labels = watershed(foreground)
    assert labels.dtype == np.int32 and np.array_equal(labels > 0, foreground > 0), "a partition"
    return len(np.unique(labels[foreground > 0]))


TOUCHING = discs((60, 60, 50), (159, 60, 50), (245, 60, 36))
"""50 + 50 is 1 more than 99, and 50 + 36 is 86; the pixels of a rim make it a little wider."""


def test_objects_that_touch_come_apart_at_the_neck():
    labels = watershed(TOUCHING)
    assert len(np.unique(labels)) == 1 + 3
    for start, stop, x in ((10, 105, 60), (114, 204, 159), (214, 281, 245)):  # a cell is 5 pixels
        part = labels[:, start:stop]
        assert set(part[part > 0]) == {labels[60, x]}


@pytest.mark.parametrize("scale", [1.7, 4])
def test_large_ones(scale):
    image = cv2.resize(TOUCHING, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    assert count(image) == count(np.ascontiguousarray(image.T)) == 3


def test_small_ones():
    """A pixel is a cell here."""
    assert count(discs((12, 12, 10), (33, 12, 10), height=24, width=46)) == 2


@pytest.mark.parametrize(
    "foreground",
    [
        np.ones((1, 1), np.uint8),
        np.ones((300, 7), np.uint8),
        np.ones((200, 333), np.uint8),
        discs((60, 60, 50)),
        discs((60, 60, 50), (130, 60, 50)),
        discs((60, 60, 50)) - discs((60, 60, 20)),
        cv2.line(discs((60, 60, 50)), (60, 60), (300, 60), 1, 30),
    ],
    ids=["pixel", "bar", "box", "disc", "half hidden", "ring", "arm"],
)
def test_one_object_stays_one(foreground):
    assert count(foreground) == 1


def test_objects_apart_stay_apart():
    assert count(discs((60, 60, 50), (180, 60, 50), (300, 60, 20))) == 3


def test_the_neck_that_is_cut():
    """Two discs of radius 50 with a bridge between them: half of that is a half width of 25."""
    apart = discs((60, 60, 50), (220, 60, 50))
    for width, parts in ((41, 2), (61, 1)):
        assert count(cv2.line(apart.copy(), (60, 60), (220, 60), 1, width)) == parts


def test_as_instances():
    probability = np.zeros((240, 640), np.float32)
    probability[100:220, 200:600] = TOUCHING * np.float32(0.9)
    instances = group_instances(probability, 0.5, 64)
    assert [instance.id for instance in instances] == [1, 2, 3]
    assert sum(instance.area for instance in instances) == pytest.approx(TOUCHING.sum(), rel=1e-3)
    assert instances[2].roi.x + instances[2].roi.width / 2 == pytest.approx(200 + 245, abs=3)
    assert len(group_instances(probability, 0.5, 64, "connected_components")) == 1
