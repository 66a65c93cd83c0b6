"""Offline evaluation: every frame of a bag is processed, however long it takes."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_core.tracking import Trackers
from dmmi_ros.bags.command_schedule import CommandSchedule, Request
from dmmi_ros.bags.outcomes import Outcome
from dmmi_ros.bags.reader import RecordedFrame

if TYPE_CHECKING:
    from dmmi_core.segmenter import Segmenter


def evaluate_offline(
    frames: Iterable[RecordedFrame],
    schedule: CommandSchedule,
    segmenter: "Segmenter",
    *,
    start: int,
    tracking: bool,
) -> Iterator[Outcome]:
    """Yield the outcomes of all frames in order.

    `start` is the start of the bag in nanoseconds. With `tracking`, instance ids persist over the frames of
    a camera and a request.
    """
    segmenter.warm_up()
    trackers: defaultdict[str, Trackers] = defaultdict(Trackers)
    for frame in frames:
        command = schedule.at(frame.time - start)
        if command and command.requests:
            tracker = trackers[frame.topic] if tracking else None
            yield from _outcomes(frame, command.requests, segmenter, tracker)
        else:
            trackers.pop(frame.topic, None)
            yield Outcome(frame, None)


def _outcomes(
    frame: RecordedFrame, requests: tuple[Request, ...], segmenter: "Segmenter", trackers: Trackers | None
) -> list[Outcome]:
    began = time.perf_counter()
    try:
        results = _segment(frame, requests, segmenter)
    except InputError as error:
        return [Outcome(frame, request, problem=str(error)) for request in requests]
    latency_ms = 1e3 * (time.perf_counter() - began)
    if trackers is not None and frame.stamp is not None:
        texts = [request.text for request in requests]
        results = trackers.update(results, requests=texts, stamp=1e-9 * frame.stamp)
    return [
        Outcome(frame, request, result, latency_ms) for request, result in zip(requests, results, strict=True)
    ]


def _segment(frame: RecordedFrame, requests: tuple[Request, ...], segmenter: "Segmenter") -> list[Result]:
    image = frame.image()
    return segmenter.batch([image] * len(requests), [request.text for request in requests])
