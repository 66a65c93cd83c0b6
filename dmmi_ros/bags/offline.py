"""Every frame of a bag is answered, however long it takes."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.bags.answers import Answer
from dmmi_ros.bags.reading import Frame
from dmmi_ros.bags.schedule import Request, Schedule
from dmmi_ros.tracking import Tracker


def answer_offline(
    frames: Iterable[Frame], schedule: Schedule, segmenter, *, start: int, tracking: bool
) -> Iterator[Answer]:
    """`start` is that of the bag. With `tracking`, ids hold over the frames of a camera and a request."""
    segmenter.warm_up()
    trackers: dict[str, dict[str, Tracker]] = {}
    for frame in frames:
        command = schedule.at(frame.time - start)
        requests = command.requests if command else ()
        # A request that a new command repeats goes on; one that is gone starts anew if it comes back.
        last = trackers.get(frame.topic, {})
        trackers[frame.topic] = {request.text: last.get(request.text, Tracker()) for request in requests}
        for answer in _answers(frame, requests, segmenter):
            if tracking and answer.result is not None:
                instances = trackers[frame.topic][answer.request.text].update(answer.result.instances)
                answer = replace(answer, result=replace(answer.result, instances=instances))
            yield answer


def _answers(frame: Frame, requests: tuple[Request, ...], segmenter) -> list[Answer]:
    if not requests:
        return [Answer(frame, None)]
    began = time.perf_counter()
    try:
        results = _segment(frame, requests, segmenter)
    except InputError as error:
        return [Answer(frame, request, problem=str(error)) for request in requests]
    latency = 1e3 * (time.perf_counter() - began)
    return [Answer(frame, *pair, latency) for pair in zip(requests, results, strict=True)]


def _segment(frame: Frame, requests: tuple[Request, ...], segmenter) -> list[Result]:
    image = frame.image()
    return segmenter.batch([image] * len(requests), [request.text for request in requests])
