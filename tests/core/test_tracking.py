"""Ids that hold over frames, counted on synthetic sequences."""

from collections.abc import Sequence

import numpy as np
import pytest

from dmmi_core import tracking
from dmmi_core.result import Instance, Result, Roi, Status
from dmmi_core.tracking import MIN_IOU, Tracker, Trackers

HEIGHT, WIDTH = 120, 160


def box(x: int, y: int, width: int, height: int) -> Instance:
    return Instance(1, 0.9, width * height, Roi(x, y, width, height), np.ones((height, width), bool))


def whole_iou(first: Instance, second: Instance) -> float:
    masks = []
    for item in (first, second):
        mask = np.zeros((HEIGHT, WIDTH), bool)
        roi = item.roi
        mask[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] = item.mask
        masks.append(mask)
    return (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()


def scattered(rng: np.random.Generator) -> Instance:
    """Random pixels of a random box."""
    width, height = rng.integers(3, [WIDTH // 2, HEIGHT // 2])
    x, y = rng.integers(0, [WIDTH - width, HEIGHT - height])
    mask = rng.random((height, width)) < 0.5
    mask[0, 0] = True
    return Instance(1, 0.9, int(mask.sum()), Roi(int(x), int(y), int(width), int(height)), mask)


def test_iou_of_cropped_masks_is_that_of_whole_ones():
    rng = np.random.default_rng(0)
    instances = [scattered(rng) for _ in range(30)]
    pairs = [(first, second) for first in instances for second in instances]
    ious = [first.iou(second) for first, second in pairs]
    assert 0 < np.count_nonzero(ious) < len(ious)
    np.testing.assert_allclose(ious, [whole_iou(*pair) for pair in pairs])


def test_iou_by_hand():
    assert box(0, 0, 10, 10).iou(box(5, 0, 10, 10)) == 50 / 150
    assert box(0, 0, 10, 10).iou(box(10, 0, 10, 10)) == 0  # side by side


def test_paste_sets_the_pixels_of_the_mask_alone():
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    canvas = np.full((5, 6), 9, np.uint8)
    Instance(1, 0.9, 5, Roi(2, 1, 3, 3), cross).paste(canvas, 4)
    expected = np.full((5, 6), 9, np.uint8)
    expected[2, 2:5] = expected[1:4, 3] = 4
    np.testing.assert_array_equal(canvas, expected)


def ids(tracker: Tracker, *instances: Instance) -> list[int]:
    named = tracker.update(instances)
    assert [item.roi for item in named] == [item.roi for item in instances]  # their order stays
    return [item.id for item in named]


def test_ids_follow_objects_not_their_order():
    tracker = Tracker()
    assert ids(tracker, box(0, 0, 40, 40), box(80, 0, 30, 30)) == [1, 2]
    assert ids(tracker, box(82, 0, 50, 50), box(4, 4, 38, 38)) == [2, 1]


def test_of_two_candidates_the_higher_iou_wins_and_the_other_is_new():
    tracker = Tracker()
    ids(tracker, box(0, 0, 40, 10))
    assert ids(tracker, box(0, 0, 16, 10), box(16, 0, 24, 10)) == [2, 1]


@pytest.mark.parametrize(("shift", "id_"), [(6, 1), (7, 2)])  # IoU 4/16 and 3/17
def test_minimum_iou(shift, id_):
    assert 3 / 17 < MIN_IOU <= 4 / 16
    tracker = Tracker()
    ids(tracker, box(0, 0, 10, 10))
    assert ids(tracker, box(shift, 0, 10, 10)) == [id_]


@pytest.mark.parametrize(("missed", "id_"), [(3, 1), (4, 2)])
def test_lost_objects_keep_their_id_for_a_while(missed, id_):
    tracker = Tracker(max_missed=3)
    ids(tracker, box(0, 0, 10, 10))
    for _ in range(missed):
        assert ids(tracker) == []
    assert ids(tracker, box(1, 1, 10, 10)) == [id_]


def test_ids_are_never_used_again():
    tracker = Tracker(max_missed=0)
    seen = []
    for step in range(100):
        seen += ids(tracker, box(step % 2 * 50, 0, 10, 10))  # jumps: each time another object
    assert seen == list(range(1, 101))


def test_ids_begin_again_past_those_in_use(monkeypatch):
    monkeypatch.setattr(tracking, "HIGHEST_ID", 3)
    tracker = Tracker(max_missed=0)
    stays = box(80, 80, 10, 10)
    assert ids(tracker, stays) == [1]
    later = [ids(tracker, stays, box(step % 2 * 50, 0, 10, 10)) for step in range(4)]
    assert later == [[1, 2], [1, 3], [1, 2], [1, 3]]


def test_each_request_has_its_ids_as_long_as_it_is_asked():
    def answer(text: str, *boxes: Instance) -> Result:
        return Result(text, Status.of_count(len(boxes)), 0.9, 0.5, np.zeros((1, 1), bool), boxes, "joined")

    def given(*results: Result, requests: Sequence[str] = ()) -> list[list[int]]:
        texts = requests or [result.text for result in results]
        named = trackers.update(results, requests=texts)
        return [[item.id for item in result.instances] for result in named]

    trackers = Trackers()
    first, second = box(0, 0, 10, 10), box(50, 0, 10, 10)
    assert given(answer("cups", first, second)) == [[1, 2]]
    assert given(answer("cups", second), answer("dogs", first)) == [[2], [1]]
    assert given(answer("dogs", first)) == [[1]]
    assert given(answer("cups", second)) == [[1]]
    assert given(answer("cups", first, second)) == [[2, 1]]
    assert given(requests=["cups"]) == []  # it failed
    assert given(answer("cups", first)) == [[2]]


def objects_of(frame: int) -> dict[str, Instance]:
    """Two that pass each other without touching, one that blinks, one that comes late."""
    objects = {
        "right": box(2 * frame, 10, 30, 20),
        "left": box(120 - 2 * frame, 34, 28, 22),
    }
    if frame % 7 not in (3, 4):
        objects["blinking"] = box(60 + frame % 3, 70, 24, 18)
    if frame >= 20:
        objects["late"] = box(10, 40 + frame, 20, 16)
    return objects


def switches(tracker: Tracker | None) -> tuple[int, int]:
    """How often an object has another id than when it was last seen, and the ids of the four at the end.

    Without a tracker, ids are numbers in a frame.
    """
    last: dict[str, int] = {}
    switched = 0
    for frame in range(60):
        objects = sorted(
            objects_of(frame).items(), key=lambda item: -item[1].area - frame % 2 * item[1].roi.x
        )
        instances = tuple(instance for _, instance in objects)
        named = [item.id for item in tracker.update(instances)] if tracker else range(1, len(objects) + 1)
        for (name, _), id_ in zip(objects, named, strict=True):
            switched += last.get(name, id_) != id_
            last[name] = id_
    return switched, len(set(last.values()))


def test_no_id_switches_where_objects_move_cross_and_vanish():
    assert switches(Tracker()) == (0, 4)
    assert switches(None)[0] > 20  # the sequence is not without them
