"""Detections of the guide: which boxes count, and what they do to foreground and instances."""

import numpy as np
import pytest

from dmmi_core.instances.detections import Detections, find_boxes, keep_boxes
from dmmi_core.instances.find import TextScores, find_instances
from dmmi_core.segmenter_options import Options

SIDE = 40
LEFT, RIGHT = (0.1, 0.2, 0.4, 0.8), (0.5, 0.2, 0.9, 0.8)


def detections(*boxes, logits=None):
    logits = logits or [2.0] * len(boxes)
    return Detections(np.array(logits, np.float32), np.array(boxes, np.float32).reshape(-1, 4))


def foreground(*boxes):
    mask = np.zeros((SIDE, SIDE), np.float32)
    for box in boxes:
        left, top, right, bottom = (round(SIDE * side) for side in box)
        mask[top:bottom, left:right] = 0.9
    return mask


def found(boxes, mask):
    return find_boxes(boxes, mask > 0.5)


def test_boxes_come_likeliest_first():
    boxes = found(detections(LEFT, RIGHT, logits=[0.5, 2.0]), foreground(LEFT, RIGHT))
    np.testing.assert_allclose(boxes, [RIGHT, LEFT], atol=1e-6)


@pytest.mark.parametrize(
    "boxes",
    [
        detections(),
        detections(LEFT, logits=[-3.0]),  # unlikely
        detections(RIGHT),  # not in the foreground
        detections((0, 0, 1, 1)),  # mostly background
        detections((0.3, 0.3, 0.3, 0.3)),  # empty
    ],
    ids=["none", "unlikely", "elsewhere", "too large", "empty"],
)
def test_no_box(boxes):
    assert found(boxes, foreground(LEFT)).shape == (0, 4)


def test_of_two_boxes_of_one_object_the_likelier_is_kept():
    near = tuple(side + 0.02 for side in LEFT)
    boxes = found(detections(near, LEFT, logits=[0.5, 3.0]), foreground(LEFT))
    np.testing.assert_allclose(boxes, [LEFT], atol=1e-6)


def test_boxes_beyond_the_border_are_cut_there():
    mask = foreground((0, 0, 1, 1))
    boxes = found(detections((-0.5, -0.5, 1.5, 1.5)), mask)
    assert np.array_equal(keep_boxes(mask, boxes), mask)


def test_foreground_outside_the_boxes_is_dropped():
    kept = keep_boxes(foreground(LEFT, RIGHT), np.array([LEFT]))
    assert np.array_equal(kept, foreground(LEFT))


def of_text(mask, boxes, text="the dogs", grouping="centres"):
    """What is found if the instance head knows one centre only."""
    head = {"centres": np.full((10, 10), -6, np.float32), "offsets": np.zeros((2, 10, 10), np.float32)}
    head["centres"][5, 5] = 2
    scores = TextScores(mask, detections=boxes, **head)
    return find_instances(scores, (SIDE, SIDE), text, grouping, Options(min_area=4))


def test_each_box_is_an_instance():
    mask = foreground((0.1, 0.2, 0.9, 0.8))
    boxes = detections((0.1, 0.2, 0.5, 0.8), (0.5, 0.2, 0.9, 0.8))
    assert [i.roi.width for i in of_text(mask, boxes).instances] == [16, 16]
    assert [i.roi.width for i in of_text(mask, detections()).instances] == [32]


def test_a_number_in_the_text_bounds_the_boxes():
    places = (0.1, 0.2, 0.3, 0.8), (0.4, 0.2, 0.6, 0.8), (0.7, 0.2, 0.9, 0.8)
    mask, boxes = foreground(*places), detections(*places, logits=[2.0, 1.0, 3.0])
    assert len(of_text(mask, boxes).instances) == 3
    assert sorted(i.roi.x for i in of_text(mask, boxes, "the two dogs").instances) == [4, 28]


@pytest.mark.parametrize("grouping", ["centres", "watershed", "single"])
def test_what_no_box_holds_is_no_foreground(grouping):
    result = of_text(foreground(LEFT, RIGHT), detections(LEFT), grouping=grouping)
    assert np.array_equal(result.foreground, foreground(LEFT) > 0.5)
    assert [i.area for i in result.instances] == [result.foreground.sum()]
