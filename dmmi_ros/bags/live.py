"""A bag is played to the node as a camera would send it, and its answers are collected."""

import importlib.util
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.bags.answers import Answer
from dmmi_ros.bags.messages import nanoseconds, to_result
from dmmi_ros.bags.reading import Frame
from dmmi_ros.bags.schedule import Command, Schedule


def answer_live(
    frames: Iterable[Frame],
    schedule: Schedule,
    *,
    type_: str,
    start: int,
    rate: float,
    parameters: dict[str, str],
) -> Iterator[Answer]:
    """Plays the frames of one camera, `rate` times as fast as they were recorded, to a node of its own.

    `type_` is that of the frames, `parameters` are the node's, `start` is that of the bag. Raises
    `ModelError` where the node cannot start, or ends.
    """
    if not all(map(importlib.util.find_spec, ("rclpy", "dmmi"))):
        raise InputError(
            "--live needs ROS 2 and the messages of this package: pip install '.[ros]' -C ros=kilted"
        )
    from dmmi_ros.bags.player import started_player

    sent = _Sent()
    with started_player(type_, parameters=parameters, on_answer=sent.take) as player:
        command = None
        began = time.monotonic()
        for frame in frames:
            elapsed = frame.time - start
            player.listen_until(began + elapsed / 1e9 / rate)
            if (new := schedule.at(elapsed)) is not command:
                command = new
                player.tell(command.text)
            is_asked = command is not None and bool(command.requests)
            if is_asked:
                sent.add(frame, command)
            player.send(frame.raw)
            yield from sent.settled() if is_asked else [Answer(frame, None)]
        player.listen_to_the_end(lambda: sent.is_complete)
        yield from sent.rest()


@dataclass
class _Question:
    """A frame under way since `at`; `results` has for each text the answer and the milliseconds it took."""

    frame: Frame
    command: Command
    at: float = field(default_factory=time.monotonic)
    results: dict[str, tuple[Result, float]] = field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return len(self.results) == len(self.command.requests)

    def answers(self) -> Iterator[Answer]:
        problem = "" if self.is_answered else _problem(self.frame)
        for request in self.command.requests:
            if request.text in self.results:
                yield Answer(self.frame, request, *self.results[request.text])
            else:
                yield Answer(self.frame, request, problem=problem)


class _Sent:
    """The questions under way, in order."""

    def __init__(self):
        self._questions: deque[_Question] = deque()

    @property
    def is_complete(self) -> bool:
        """Whether nothing more can come: the newest frame is answered, which the node never drops."""
        return not self._questions or self._questions[-1].is_answered

    def add(self, frame: Frame, command: Command) -> None:
        self._questions.append(_Question(frame, command))

    def take(self, message) -> None:
        """A dmmi/Segmentation."""
        now = time.monotonic()
        stamp = nanoseconds(message.header.stamp)
        texts = {message.command}
        for question in self._questions:
            asked = {request.text for request in question.command.requests} - question.results.keys()
            if question.frame.stamp == stamp and texts <= asked:
                question.results[message.command] = to_result(message), 1e3 * (now - question.at)
                return

    def settled(self) -> Iterator[Answer]:
        """Takes out what is answered, and what never will be: the node answers in the order of frames."""
        answered = [index for index, question in enumerate(self._questions) if question.results]
        newest = max(answered, default=-1)
        for index in range(newest + 1):
            if index < newest or self._questions[0].is_answered:
                yield from self._questions.popleft().answers()

    def rest(self) -> Iterator[Answer]:
        for question in self._questions:
            yield from question.answers()


def _problem(frame: Frame) -> str:
    """What is wrong with the frame, if anything."""
    try:
        frame.image()
    except InputError as error:
        return str(error)
    return ""
