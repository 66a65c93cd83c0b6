"""Every frame of a bag is answered, however long it takes."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_core.tracking import Trackers
from dmmi_ros.bags.command_schedule import Request, Schedule
from dmmi_ros.bags.outcomes import Answer
from dmmi_ros.bags.reader import Frame


def answer_offline(
    frames: Iterable[Frame], schedule: Schedule, segmenter, *, start: int, tracking: bool
) -> Iterator[Answer]:
    """`start` is that of the bag. With `tracking`, ids hold over the frames of a camera and a request."""
    segmenter.warm_up()
    trackers: defaultdict[str, Trackers] = defaultdict(Trackers)
    for frame in frames:
        command = schedule.at(frame.time - start)
        if command and command.requests:
            yield from _answers(
                frame, command.requests, segmenter, trackers[frame.topic] if tracking else None
            )
        else:
            trackers.pop(frame.topic, None)
            yield Answer(frame, None)


def _answers(
    frame: Frame, requests: tuple[Request, ...], segmenter, trackers: Trackers | None
) -> list[Answer]:
    began = time.perf_counter()
    try:
        results = _segment(frame, requests, segmenter)
    except InputError as error:
        return [Answer(frame, request, problem=str(error)) for request in requests]
    latency = 1e3 * (time.perf_counter() - began)
    if trackers is not None:
        results = trackers.update(results, requests=[request.text for request in requests])
    return [Answer(frame, *pair, latency) for pair in zip(requests, results, strict=True)]


def _segment(frame: Frame, requests: tuple[Request, ...], segmenter) -> list[Result]:
    image = frame.image()
    return segmenter.batch([image] * len(requests), [request.text for request in requests])
