import numpy as np
import pytest

from dmmi_core.instances import grouping as instances_module
from dmmi_core.instances.grouping import (
    group_instances,
    grouping_for,
    labelled_instances,
    union_mask,
    without_specks,
)
from dmmi_core.result import Roi, Status

MAP = """
. . . . . . . . . .
. 8 8 . . . . 9 . .
. 8 8 . . . 9 . . .
. . . 8 . . . . . 6
. . . . . . . . . 6
5 . . . 7 7 7 7 . .
5 . . . 7 . . 7 . .
. . . . 7 7 7 7 . 9
"""
PROBABILITY = np.array(
    [[0.1 if c == "." else int(c) / 10 for c in row.split()] for row in MAP.strip().splitlines()],
    np.float32,
)


@pytest.fixture
def found(monkeypatch):
    """Return the components of the map, without the rule of confidence, which has its own test."""
    monkeypatch.setattr(instances_module, "RELATIVE_CONFIDENCE", 0)

    def found(min_area: int = 1, threshold: float = 0.5):
        return group_instances(PROBABILITY, threshold, min_area, "connected_components")

    return found


def test_components_biggest_first(found):
    """5 is not above the threshold; touching at a corner is touching; a hole stays a hole."""
    instances = found()
    assert [i.id for i in instances] == [1, 2, 3, 4, 5]
    assert [i.area for i in instances] == [10, 5, 2, 2, 1]
    assert [i.roi for i in instances[:2]] == [Roi(4, 5, 4, 3), Roi(1, 1, 3, 3)]
    assert {i.roi for i in instances[2:]} == {Roi(6, 1, 2, 2), Roi(9, 3, 1, 2), Roi(9, 7, 1, 1)}
    assert [i.score for i in instances[:2]] == pytest.approx([0.7, 0.8])
    assert instances[0].mask.tolist() == [[True] * 4, [True, False, False, True], [True] * 4]
    for instance in instances:
        roi = instance.roi
        assert instance.mask.shape == (roi.height, roi.width)
        assert instance.mask.dtype == bool
        assert instance.area == instance.mask.sum()


def test_the_score_is_the_mean_of_the_object_alone():
    probability = np.array([[0.9, 0.6], [0.0, 0.6]], np.float32)
    (instance,) = group_instances(probability, 0.5, 1)
    assert instance.score == pytest.approx(0.7)


def test_specks_and_pinholes_are_noise():
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:35] = True
    mask[10:13, 10:13] = False  # 1 % of the object
    mask[20:30, 20:30] = False  # 11 %
    clean = mask.copy()
    clean[10:13, 10:13] = True
    mask[20:23, 50:53] = True
    assert np.array_equal(without_specks(mask), clean)
    corner = np.triu(np.ones((40, 40), bool), -35)  # the corner that is missing is not a hole
    assert np.array_equal(without_specks(corner), corner)


def test_a_pinhole_of_another_instance_is_not_filled():
    labels = np.ones((40, 40), np.int32)
    labels[10:13, 10:13] = 2
    labels[20:23, 20:23] = 0
    found = labelled_instances(labels, np.ones((40, 40), np.float32), 1, (0, 0))
    assert [(label, i.area) for label, i in found] == [(1, 40 * 40 - 9), (2, 9)]


def test_the_box_of_an_instance_is_that_of_its_mask():
    labels = np.zeros((40, 60), np.int32)
    labels[5:35, 5:35] = labels[20, 50] = 1
    ((_, instance),) = labelled_instances(labels, np.ones((40, 60), np.float32), 1, (100, 200))
    assert instance.roi == Roi(105, 205, 30, 30)
    assert instance.mask.shape == (30, 30)


@pytest.mark.parametrize(("min_area", "count"), [(1, 5), (2, 4), (3, 2), (5, 2), (6, 1), (10, 1), (11, 0)])
def test_small_groups_are_left_out(found, min_area, count):
    assert len(found(min_area)) == count


@pytest.mark.parametrize(
    ("threshold", "count"), [(0.05, 1), (0.4, 6), (0.65, 4), (0.75, 3), (0.85, 2), (0.95, 0)]
)
def test_threshold(found, threshold, count):
    assert len(found(threshold=threshold)) == count


@pytest.mark.parametrize(("highest", "kept"), [(0.73, False), (0.75, True)])
@pytest.mark.parametrize("grouping", ["watershed", "connected_components"])
def test_what_is_unsure_beside_others_is_left_out(grouping, highest, kept):
    """If the largest margin is 0.3, a group needs a margin of 0.24, at any size."""
    probability = np.zeros((6, 19), np.float32)
    probability[1:3, 1:3] = (0.6, 0.8)
    probability[1:5, 5:] = 0.6
    probability[2, 12] = highest
    instances = group_instances(probability, 0.5, 1, grouping)
    assert [instance.area for instance in instances] == ([56, 4] if kept else [4])


@pytest.mark.parametrize(("gap", "count"), [(2, 1), (3, 2)])
def test_parts_of_a_single_object_may_have_a_small_gap(gap, count):
    probability = np.zeros((12, 20), np.float32)
    probability[2:10, 2:8] = probability[2:10, 8 + gap : 14 + gap] = 0.9
    (instance,) = group_instances(probability, 0.5, 1, "single")
    assert (instance.id, instance.area) == (1, 96 // count)


def test_a_single_object_is_the_one_that_is_surest():
    probability = np.zeros((12, 40), np.float32)
    probability[2:10, 2:20] = 0.85
    probability[2:10, 30:38] = 0.9
    (instance,) = group_instances(probability, 0.5, 1, "single")
    assert instance.roi == Roi(30, 2, 8, 8)


def test_what_is_said_of_one_object_is_found_once():
    assert (grouping_for("the cat"), grouping_for("the cats")) == ("single", "watershed")


def test_of_what_is_unsure_the_surest_is_kept():
    assert len(group_instances(np.full((3, 3), 0.51, np.float32), 0.5, 1)) == 1


def test_the_union_is_what_is_kept(found):
    instances = found(min_area=2)
    expected = PROBABILITY > 0.5
    expected[7, 9] = False
    assert np.array_equal(union_mask(instances, *PROBABILITY.shape), expected)
    assert not union_mask((), 3, 4).any()


def test_status_counts_instances():
    assert [Status.of_count(n).name for n in (0, 1, 2, 3, 300)] == [
        "NO_TARGET",
        "ONE",
        "MANY",
        "MANY",
        "MANY",
    ]
    assert [int(s) for s in Status] == [0, 1, 2]
