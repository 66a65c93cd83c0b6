"""Ids that hold over frames, counted on synthetic sequences."""

from collections.abc import Sequence
from itertools import count

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


class Video:
    """A tracker and the stamp of its last frame."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.stamp = 1.7e9

    def ids(self, *instances: Instance, after: float = 0.1) -> list[int]:
        """Return the ids of the instances of a frame `after` seconds after the last one."""
        self.stamp += after
        named = self.tracker.update(instances, stamp=self.stamp)
        assert [item.roi for item in named] == [item.roi for item in instances]  # none more, in their order
        return [item.id for item in named]


@pytest.fixture
def video() -> Video:
    return Video()


def test_ids_follow_objects_not_their_order(video):
    assert video.ids(box(0, 0, 40, 40), box(80, 0, 30, 30)) == [1, 2]
    assert video.ids(box(82, 0, 50, 50), box(4, 4, 38, 38)) == [2, 1]


def test_of_two_candidates_the_higher_iou_wins_and_the_other_is_new(video):
    video.ids(box(0, 0, 40, 10))
    assert video.ids(box(0, 0, 16, 10), box(16, 0, 24, 10)) == [2, 1]


@pytest.mark.parametrize(("width", "id_"), [(120, 2), (80, 1)])  # IoU 1/12 and 1/8
def test_minimum_iou(video, width, id_):
    """A large mask that begins where a small one was is not within reach of it."""
    assert 1 / 12 < MIN_IOU <= 1 / 8
    video.ids(box(0, 0, 10, 10))
    assert video.ids(box(0, 0, width, 10)) == [id_]


def test_an_object_that_is_within_reach_needs_no_overlap(video):
    video.ids(box(0, 0, 10, 10))
    for _ in range(5):
        video.ids()
    assert video.ids(box(10, 0, 10, 10), box(40, 0, 10, 10)) == [1, 2]


@pytest.mark.parametrize("interval", [1 / 30, 0.1, 2])
@pytest.mark.parametrize(("share", "id_"), [(0.9, 1), (1.3, 2)])
def test_lost_objects_keep_their_id_for_a_while(video, interval, share, id_):
    """They keep it for `MEMORY_S`, or for `MEMORY_FRAMES` frames if that is longer."""
    for _ in range(5):
        video.ids(box(0, 0, 10, 10), after=interval)
    memory = max(tracking.MEMORY_S, tracking.MEMORY_FRAMES * interval)
    for _ in range(round(share * memory / interval) - 1):
        assert video.ids(after=interval) == []
    assert video.ids(box(1, 1, 10, 10), after=interval) == [id_]


def test_ids_are_never_used_again(video):
    seen = []
    for step in range(100):
        seen += video.ids(box(step * 50, 0, 10, 10))  # jumps: each time another object
    assert seen == list(range(1, 101))


def test_ids_begin_again_past_those_in_use(monkeypatch, video):
    monkeypatch.setattr(tracking, "HIGHEST_ID", 3)
    stays = box(80, 80, 10, 10)
    assert video.ids(stays) == [1]
    later = []
    for step in range(4):
        later.append(video.ids(stays, box(step * 50, 0, 10, 10)))
        for _ in range(20):  # until the other's track has ended
            video.ids(stays)
    assert later == [[1, 2], [1, 3], [1, 2], [1, 3]]


def behind_pillar(x: float, *, pillar: tuple[int, int]) -> tuple[Instance, ...]:
    """Return a box of 40 x 30 at `x`, of which a pillar hides what is between its two edges."""
    left, right = round(x), round(x) + 40
    if left < pillar[0]:
        right = min(right, pillar[0])
    elif right > pillar[1]:
        left = max(left, pillar[1])
    else:
        return ()
    return (box(left, 20, right - left, 30),)


@pytest.mark.parametrize("rate", [10, 15, 30])
@pytest.mark.parametrize("speed", [60, 100, 200])
def test_an_id_comes_back_after_a_second_behind_a_pillar(video, rate, speed):
    pillar = (150, 190 + speed)
    seen = []
    for frame in range(round(rate * (200 + pillar[1]) / speed)):
        seen.append(video.ids(*behind_pillar(speed * frame / rate, pillar=pillar), after=1 / rate))
    assert 0.9 * rate <= seen.count([]) <= 1.1 * rate
    assert {id_ for ids in seen for id_ in ids} == {1}


def test_ids_do_not_change_sides_behind_a_pillar(video):
    """Two boxes go behind it from both sides and are hidden at the same time."""
    pillar = (150, 250)
    seen = []
    for frame in range(60):
        right = behind_pillar(8 * frame, pillar=pillar)
        left = tuple(
            box(400 - item.roi.x - item.roi.width, 25, item.roi.width, 30)
            for item in behind_pillar(8 * frame, pillar=pillar)
        )
        seen.append(video.ids(*right, *left))
    assert [] in seen
    assert {tuple(ids) for ids in seen if ids} == {(1, 2)}


def test_a_hidden_object_is_looked_for_where_the_camera_has_turned_to(video):
    for _ in range(5):
        assert video.ids(box(0, 0, 20, 20), box(0, 60, 20, 20), box(60, 30, 20, 20)) == [1, 2, 3]
    for shift in range(8, 80, 8):
        assert video.ids(box(shift, 0, 20, 20), box(shift, 60, 20, 20)) == [1, 2]
    assert video.ids(box(80, 0, 20, 20), box(80, 60, 20, 20), box(140, 30, 20, 20)) == [1, 2, 3]


def test_motion_is_told_by_the_stamps(video):
    """Frames come at uneven intervals; before a gap of a second, they come faster."""
    moments = np.cumsum([0.1, 0.3, 0.05, 0.2, 0.15, 0.05, 0.05, 0.05, 0.05, 1.0, 0.1])
    intervals = np.diff(moments, prepend=0)
    seen = [
        video.ids(box(round(150 * moment), 0, 40, 40), after=interval)
        for moment, interval in zip(moments, intervals, strict=True)
    ]
    assert seen == [[1]] * len(moments)


@pytest.mark.parametrize("after", [0, -0.05])
def test_stamps_that_do_not_advance(video, after):
    for frame in range(10):
        assert video.ids(box(10 * frame, 0, 20, 20), after=after) == [1]
    for _ in range(5):
        assert video.ids(after=after) == []
    assert video.ids(box(150, 0, 20, 20), after=after) == [1]
    for _ in range(20):
        video.ids(after=after)
    assert video.ids(box(160, 0, 20, 20), after=after) == [2]


@pytest.mark.parametrize("jump", [-60, 60])
def test_tracks_end_where_the_stamps_jump(video, jump):
    """A bag begins again, or the camera was away."""
    for _ in range(5):
        assert video.ids(box(0, 0, 20, 20)) == [1]
    assert video.ids(box(0, 0, 20, 20), after=jump) == [2]
    for frame in range(10):
        assert video.ids(box(8 * frame, 0, 20, 20)) == [2]


def test_each_request_has_its_ids_as_long_as_it_is_asked():
    def answer(text: str, *boxes: Instance) -> Result:
        return Result(text, Status.of_count(len(boxes)), 0.9, 0.5, np.zeros((1, 1), bool), boxes, "joined")

    def given(*results: Result, requests: Sequence[str] = ()) -> list[list[int]]:
        texts = requests or [result.text for result in results]
        named = trackers.update(results, requests=texts, stamp=next(stamps))
        return [[item.id for item in result.instances] for result in named]

    trackers, stamps = Trackers(), count(0.0, 0.1)
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
        named = range(1, len(objects) + 1)
        if tracker:
            named = [item.id for item in tracker.update(instances, stamp=0.1 * frame)]
        for (name, _), id_ in zip(objects, named, strict=True):
            switched += last.get(name, id_) != id_
            last[name] = id_
    return switched, len(set(last.values()))


def test_no_id_switches_where_objects_move_cross_and_vanish():
    assert switches(Tracker()) == (0, 4)
    assert switches(None)[0] > 20  # the sequence is not without them
