"""Which answer of a live node is whose, and what was dropped."""

from types import SimpleNamespace

import pytest

from dmmi_ros.bags.command_schedule import Command, Request
from dmmi_ros.bags.pending import Questions
from dmmi_ros.bags.reader import IMAGE, Frame
from dmmi_ros.bags.typestore import make_header, make_typestore
from helpers.recordings import SECOND, STAMP_OFFSET, TOPIC, raw, red_boxes

ONE = Command(0, (Request(1, "the cat", 1),))
TWO = Command(0, (Request(2, "the cat", 1), Request(2, "the dog", 2)))


def frame(number: int, **options) -> Frame:
    time = number * SECOND - STAMP_OFFSET
    return Frame(TOPIC, IMAGE, time, b"", raw(red_boxes(), time, **options))


def add(questions: Questions, *numbers: int, command: Command = ONE) -> None:
    for number in numbers:
        questions.add(number, frame(number), command)


def answer(number: int, text: str) -> SimpleNamespace:
    """Only what makes an answer somebody's, and a mask of no instances."""
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
    return [(item.frame.stamp // SECOND, item.request.text, item.outcome) for item in answers]


@pytest.fixture
def questions():
    return Questions()


def test_frames_before_an_answered_one_are_dropped(questions):
    add(questions, 1, 2, 3, 4)
    assert outcomes(questions.settled()) == []
    questions.take(answer(3, "the cat"))
    assert outcomes(questions.settled()) == [
        (1, "the cat", "dropped"),
        (2, "the cat", "dropped"),
        (3, "the cat", "no_target"),
    ]
    questions.take(answer(4, "the cat"))
    assert outcomes(questions.settled()) == [(4, "the cat", "no_target")]
    assert outcomes(questions.rest()) == []


def test_each_request_has_its_answer(questions):
    add(questions, 1, command=TWO)
    questions.take(answer(1, "the dog"))
    assert outcomes(questions.settled()) == []
    questions.take(answer(1, "the cat"))
    assert outcomes(questions.settled()) == [(1, "the cat", "no_target"), (1, "the dog", "no_target")]


def test_answers_to_something_else_are_nobodys(questions):
    add(questions, 1)
    questions.take(answer(1, "the dog"))
    questions.take(answer(2, "the cat"))
    assert outcomes(questions.rest()) == [(1, "the cat", "dropped")]


def test_frames_of_one_stamp_have_their_own_answers(questions):
    first, second, third = frames = [frame(5) for _ in range(3)]
    for number, item in enumerate(frames, start=1):
        questions.add(number, item, ONE)
    questions.take(answer(2, "the cat"))
    dropped, answered = questions.settled()
    assert (dropped.frame is first, dropped.outcome) == (True, "dropped")
    assert (answered.frame is second, answered.outcome) == (True, "no_target")
    (rest,) = questions.rest()
    assert (rest.frame is third, rest.outcome) == (True, "dropped")


def test_a_frame_without_an_answer_may_be_broken(questions):
    questions.add(1, frame(1, encoding="nonsense"), ONE)
    (only,) = questions.rest()
    assert only.outcome == "broken"
    assert only.problem.startswith("unsupported image encoding 'nonsense'")


def test_latency(questions):
    add(questions, 1)
    questions.take(answer(1, "the cat"))
    (only,) = questions.settled()
    assert 0 <= only.latency_ms < 60_000
