"""Kept ids against values computed by hand."""

import numpy as np
import pytest

from dmmi_core.instances.grouping import union_mask
from dmmi_core.result import Instance, Roi
from dmmi_ros.bags.scoring import KeptIds

SIDE = 20


def instance(id_: int, x: int, y: int, width: int = 4, height: int = 4) -> Instance:
    return Instance(id_, 0.9, width * height, Roi(x, y, width, height), np.ones((height, width), bool))


def masks(**places: tuple[int, int]) -> dict:
    return {name: union_mask((instance(0, x, y),), SIDE, SIDE) for name, (x, y) in places.items()}


def counted(*frames) -> tuple[int, int]:
    kept = KeptIds()
    for objects, instances in frames:
        kept.add(("/camera", 1), objects, instances)
    return kept.steps, kept.kept


def test_ids_that_stay_and_one_that_switches():
    objects = masks(a=(0, 0), b=(10, 10))
    frames = [
        (objects, (instance(1, 0, 0), instance(2, 10, 10))),
        (objects, (instance(2, 10, 10), instance(1, 0, 0))),  # their order says nothing
        (objects, (instance(1, 0, 0), instance(5, 10, 10))),
        (objects, (instance(1, 0, 0), instance(5, 10, 10))),
    ]
    assert counted(*frames) == (6, 5)


def test_objects_that_are_not_found_make_no_step():
    objects = masks(a=(0, 0))
    frames = [(objects, (instance(1, 0, 0),)), (objects, ()), (objects, (instance(2, 0, 0),))]
    assert counted(*frames) == (0, 0)


@pytest.mark.parametrize(("width", "steps"), [(8, 1), (9, 0)])  # IoU 4/8 and 4/9
def test_found_from_half_on(width, steps):
    found = (instance(1, 0, 0, width),)
    assert counted((masks(a=(0, 0)), found), (masks(a=(0, 0)), found)) == (steps, steps)


def test_cameras_are_apart():
    kept = KeptIds()
    for topic, id_ in [("/left", 1), ("/right", 2), ("/left", 1), ("/right", 3)]:
        kept.add((topic, 1), masks(a=(0, 0)), (instance(id_, 0, 0),))
    assert (kept.steps, kept.kept, kept.percent()) == (2, 1, 50.0)
    assert KeptIds().percent() is None
    joined = KeptIds.joined([kept, KeptIds(3, 3)])
    assert joined.percent() == 80.0
