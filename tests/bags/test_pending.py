"""The assignment of a live node's results to frames and requests, and dropped frames."""

from types import SimpleNamespace

import pytest

from dmmi_ros.bags.command_schedule import Request, ScheduledCommand
from dmmi_ros.bags.pending import PendingFrames
from dmmi_ros.bags.reader import IMAGE, RecordedFrame
from dmmi_ros.bags.typestore import make_header, make_typestore
from helpers.recordings import SECOND, STAMP_OFFSET, TOPIC, raw, red_boxes

ONE = ScheduledCommand(0, (Request(1, "the cat", 1),))
TWO = ScheduledCommand(0, (Request(2, "the cat", 1), Request(2, "the dog", 2)))


def frame(number: int, **options) -> RecordedFrame:
    time = number * SECOND - STAMP_OFFSET
    return RecordedFrame(TOPIC, IMAGE, time, b"", raw(red_boxes(), time, **options))


def add(pending: PendingFrames, *numbers: int, command: ScheduledCommand = ONE) -> None:
    for number in numbers:
        pending.add(number, frame(number), command)


def answer(number: int, text: str) -> SimpleNamespace:
    """Return as much of a Segmentation as identifies its frame and request, without instances."""
    store = make_typestore()
    header = make_header(store, number, "camera_link")
    return SimpleNamespace(
        header=header,
        command=text,
        status=0,
        presence=0.1,
        presence_threshold=0.5,
        height=8,
        width=8,
        grouping="",
        instances=[],
    )


def outcomes(answers) -> list[tuple[int, str, str]]:
    return [(item.frame.stamp // SECOND, item.request.text, item.kind) for item in answers]


@pytest.fixture
def pending():
    return PendingFrames()


def test_frames_before_an_answered_one_are_dropped(pending):
    add(pending, 1, 2, 3, 4)
    assert outcomes(pending.settled()) == []
    pending.on_segmentation(answer(3, "the cat"))
    assert outcomes(pending.settled()) == [
        (1, "the cat", "dropped"),
        (2, "the cat", "dropped"),
        (3, "the cat", "no_target"),
    ]
    pending.on_segmentation(answer(4, "the cat"))
    assert outcomes(pending.settled()) == [(4, "the cat", "no_target")]
    assert outcomes(pending.rest()) == []


def test_each_request_has_its_answer(pending):
    add(pending, 1, command=TWO)
    pending.on_segmentation(answer(1, "the dog"))
    assert outcomes(pending.settled()) == []
    pending.on_segmentation(answer(1, "the cat"))
    assert outcomes(pending.settled()) == [(1, "the cat", "no_target"), (1, "the dog", "no_target")]


def test_answers_to_something_else_are_nobodys(pending):
    add(pending, 1)
    pending.on_segmentation(answer(1, "the dog"))
    pending.on_segmentation(answer(2, "the cat"))
    assert outcomes(pending.rest()) == [(1, "the cat", "dropped")]


def test_frames_of_one_stamp_have_their_own_answers(pending):
    first, second, third = frames = [frame(5) for _ in range(3)]
    for number, item in enumerate(frames, start=1):
        pending.add(number, item, ONE)
    pending.on_segmentation(answer(2, "the cat"))
    dropped, answered = pending.settled()
    assert (dropped.frame is first, dropped.kind) == (True, "dropped")
    assert (answered.frame is second, answered.kind) == (True, "no_target")
    (rest,) = pending.rest()
    assert (rest.frame is third, rest.kind) == (True, "dropped")


def test_a_frame_without_an_answer_may_be_broken(pending):
    pending.add(1, frame(1, encoding="nonsense"), ONE)
    (only,) = pending.rest()
    assert only.kind == "broken"
    assert only.problem.startswith("unsupported image encoding 'nonsense'")


def test_latency(pending):
    add(pending, 1)
    pending.on_segmentation(answer(1, "the cat"))
    (only,) = pending.settled()
    assert 0 <= only.latency_ms < 60_000
