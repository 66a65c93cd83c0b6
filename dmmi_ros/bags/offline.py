"""Every frame of a bag is answered, however long it takes."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

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
    segmenter(
        np.zeros((480, 640, 3), np.uint8), "warm up"
    )  # or the first frame waits for what is set up then
    trackers: dict[tuple[str, int], Tracker] = defaultdict(Tracker)
    for frame in frames:
        command = schedule.at(frame.time - start)
        if command is None or not command.requests:
            yield Answer(frame, None)
            continue
        began = time.perf_counter()
        try:
            results = _segment(frame, command.requests, segmenter)
        except InputError as error:
            yield from (Answer(frame, request, problem=str(error)) for request in command.requests)
            continue
        latency = 1e3 * (time.perf_counter() - began)
        for request, result in zip(command.requests, results, strict=True):
            if tracking:
                tracker = trackers[frame.topic, request.id]
                result = replace(result, instances=tracker.update(result.instances))
            yield Answer(frame, request, result, latency)


def _segment(frame: Frame, requests: tuple[Request, ...], segmenter) -> list[Result]:
    image = frame.image()
    return segmenter.batch([image] * len(requests), [request.text for request in requests])
