"""Frames that were sent to a node, and which of its answers is whose."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.bags.command_schedule import Command
from dmmi_ros.bags.outcomes import Answer
from dmmi_ros.bags.reader import Frame
from dmmi_ros.bags.typestore import nanoseconds
from dmmi_ros.conversion.messages import to_result


@dataclass
class Question:
    """A frame under way since `at`; `results` has for each text the answer and the milliseconds it took."""

    frame: Frame
    command: Command
    at: float = field(default_factory=time.monotonic)
    results: dict[str, tuple[Result, float]] = field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return len(self.results) == len(self.command.requests)

    def is_waiting_for(self, text: str) -> bool:
        return text not in self.results and any(request.text == text for request in self.command.requests)

    def answers(self) -> Iterator[Answer]:
        problem = "" if self.is_answered else _problem(self.frame)
        for request in self.command.requests:
            if request.text in self.results:
                yield Answer(self.frame, request, *self.results[request.text])
            else:
                yield Answer(self.frame, request, problem=problem)


class Questions:
    """Those under way, by the number of their frame: the stamp, in nanoseconds, with which it was sent."""

    def __init__(self):
        self._questions: dict[int, Question] = {}

    def add(self, number: int, frame: Frame, command: Command) -> None:
        """Numbers must grow."""
        self._questions[number] = Question(frame, command)

    def take(self, message) -> None:
        """A dmmi/Segmentation."""
        now = time.monotonic()
        question = self._questions.get(nanoseconds(message.header.stamp))
        if question and question.is_waiting_for(message.command):
            question.results[message.command] = to_result(message), 1e3 * (now - question.at)

    def settled(self) -> Iterator[Answer]:
        """Takes out what is answered, and what never will be: the node answers in the order of frames."""
        newest = max((number for number, question in self._questions.items() if question.results), default=0)
        settled = [
            number for number, question in self._questions.items() if number < newest or question.is_answered
        ]
        for number in settled:
            yield from self._questions.pop(number).answers()

    def rest(self) -> Iterator[Answer]:
        for question in self._questions.values():
            yield from question.answers()


def _problem(frame: Frame) -> str:
    """What is wrong with the frame, if anything."""
    try:
        frame.image()
    except InputError as error:
        return str(error)
    return ""
