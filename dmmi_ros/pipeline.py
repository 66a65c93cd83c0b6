"""The way of a frame, or of a request, through the worker's thread: decode, segment, track, publish."""

import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dmmi.msg import Segmentation
from dmmi.srv import Segment
from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_core.segmenter_options import Options
from dmmi_core.tracking import Trackers
from dmmi_ros.camera import Frame
from dmmi_ros.commands import Command, Commands
from dmmi_ros.conversion.bit_depth import BitDepth
from dmmi_ros.conversion.depth import DepthOptions
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.free_memory import free_memory
from dmmi_ros.parameters import Parameters
from dmmi_ros.topics.transforms import Transforms
from dmmi_ros.worker import Job

if TYPE_CHECKING:
    from dmmi_core.segmenter import Segmenter

TEXTS_AT_ONCE = 8
"""Texts of a service request that are segmented before frames get their turn."""

Outcome = Result | Exception


class DecodedFrame(NamedTuple):
    """A frame and its image, uint8 RGB (H, W, 3)."""

    frame: Frame
    image: np.ndarray


class SegmentedFrame(NamedTuple):
    """A frame, its image, and the results of the requests that succeeded: at least one."""

    frame: Frame
    image: np.ndarray
    results: list[Result]


class Pipeline:
    """Processes frames and service requests with `segmenter`.

    Locations of instances are published in the frame of `transforms`, or in that of the camera without it.
    """

    def __init__(self, segmenter: "Segmenter", *, commands: Commands, transforms: Transforms | None = None):
        self._segmenter = segmenter
        self._transforms = transforms
        self._commands = commands
        self._builder = MessageBuilder.for_rclpy()

    @property
    def device(self) -> str:
        """The device of the model, such as "cpu" or "cuda:0"."""
        return self._segmenter.engine.device

    @property
    def engine(self) -> str:
        """The name of the engine and its precision."""
        return f"{self._segmenter.engine.name} {self._segmenter.engine.precision}"

    def process(self, frames: Sequence[Frame], settings: Parameters) -> None:
        """Publish the results for `frames`, at most one of each camera, if there is a command.

        Errors are counted and logged by the frame's camera; none is raised.
        """
        command = self._commands.current(timeout=settings.command_timeout)
        if command is None:
            _count_idle(frames)
            return
        decoded = list(_decode(frames, settings))
        if not decoded:
            return
        start = time.monotonic()
        outcomes = self._segment_frames(decoded, command, settings)
        inference_ms = 1e3 * (time.monotonic() - start)
        if not self._commands.goes_on(command, timeout=settings.command_timeout):
            _count_idle(frame for frame, _ in decoded)
            return
        published = []
        for segmented in _successes(decoded, outcomes, inference_ms):
            try:
                tracked = _track(segmented, command, settings)
                _publish(tracked, command)
                published.append(tracked)
            except Exception as error:  # costs this frame only
                segmented.frame.camera.count_failure(error)
        for segmented in published:  # after all results, as it may wait for depth images
            self._publish_locations(segmented, settings)

    def answer_request(self, request: Segment.Request, settings: Parameters) -> Job:
        """Return a list of dmmi/Segmentation, one for each command of `request`.

        Yields between batches of texts. Raises `InputError` for a bad image or text.
        """
        if not request.commands:
            raise InputError("the request has no commands")
        image = to_rgb(request.image, BitDepth(settings.bits))
        messages: list[Segmentation] = []
        for start in range(0, len(request.commands), TEXTS_AT_ONCE):
            if start:
                yield
            texts = request.commands[start : start + TEXTS_AT_ONCE]
            for outcome in self._segment([image] * len(texts), texts, settings):
                if isinstance(outcome, Exception):
                    raise outcome
                message = self._builder.segmentation(outcome, header=request.image.header, command_id=0)
                messages.append(message)
        return messages

    def _publish_locations(self, segmented: SegmentedFrame, settings: Parameters) -> None:
        """Publish the locations of the instances if the camera has depth and somebody listens.

        May wait for the frame's depth image and transform; see `DepthInput.locate`.
        """
        frame, _, results = segmented
        camera, header = frame.camera, frame.message.header
        if camera.depth is None or not camera.publishers.has_location_listener:
            return
        try:
            located = camera.depth.locate(
                results,
                header,
                tolerance=settings.depth_tolerance,
                arrival=frame.arrival,
                options=_depth_options(settings),
            )
            if self._transforms is not None:
                header, located = self._transforms.move(located, header)
            for result, locations in zip(results, located, strict=True):
                camera.publishers.publish_locations(result, locations, header=header)
        except Exception as error:  # a bad depth image must not cost the results
            camera.count_without_depth(len(results), error)

    def _segment_frames(
        self, decoded: list[DecodedFrame], command: Command, settings: Parameters
    ) -> list[list[Outcome]]:
        """Return for each frame the outcome of each request; all frames make one batch."""
        count = len(command.requests)
        images = [image for _, image in decoded for _ in range(count)]
        outcomes = self._segment(images, command.requests * len(decoded), settings)
        return [outcomes[start : start + count] for start in range(0, len(outcomes), count)]

    def _segment(
        self, images: Sequence[np.ndarray], texts: Sequence[str], settings: Parameters
    ) -> list[Outcome]:
        """Return for each pair of image and text its result, or the error that prevented it."""
        outcomes = self._segment_in_parts(images, texts, _options(settings))
        if any(isinstance(each, Exception) and not isinstance(each, InputError) for each in outcomes):
            free_memory()
        return outcomes

    def _segment_in_parts(
        self, images: Sequence[np.ndarray], texts: Sequence[str], options: Options
    ) -> list[Outcome]:
        """Segment in one batch, or in halves if that fails, so that only the faulty pairs have no result."""
        try:
            return list(self._segmenter.batch(images, texts, options))
        except Exception as error:
            traceback.clear_frames(error.__traceback__)  # they still hold tensors
            if len(images) == 1:
                return [error]
        half = len(images) // 2
        return [
            *self._segment_in_parts(images[:half], texts[:half], options),
            *self._segment_in_parts(images[half:], texts[half:], options),
        ]


def _options(settings: Parameters) -> Options:
    threshold = settings.presence_threshold
    return Options(
        presence_threshold=None if threshold < 0 else threshold,  # the model's own
        mask_threshold=settings.mask_threshold,
        min_area=settings.min_area,
    )


def _depth_options(settings: Parameters) -> DepthOptions:
    return DepthOptions(
        units=settings.depth_units,
        nearest=settings.depth_nearest,
        farthest=settings.depth_farthest,
        min_share=settings.depth_min_share,
    )


def _count_idle(frames: Iterable[Frame]) -> None:
    for frame in frames:
        frame.camera.count_idle()


def _decode(frames: Iterable[Frame], settings: Parameters) -> Iterator[DecodedFrame]:
    """Yield the frames that `max_rate` admits with their images; count the others."""
    for frame in frames:
        camera = frame.camera
        if not camera.rate_limit.admits(frame.arrival, settings.max_rate):
            camera.statistics.skipped += 1
            continue
        if camera.depth is not None:
            camera.depth.snapshot()
        try:
            image = camera.decode(frame.message)
        except Exception as error:
            camera.count_failure(error)
            continue
        camera.rate_limit.count(frame.arrival, settings.max_rate)
        yield DecodedFrame(frame, image)


def _successes(
    decoded: Iterable[DecodedFrame], outcomes: Iterable[list[Outcome]], inference_ms: float
) -> Iterator[SegmentedFrame]:
    """Yield the frames that have results; count the requests and the frames that failed."""
    for (frame, image), own in zip(decoded, outcomes, strict=True):
        frame.camera.statistics.inference_ms = inference_ms
        results = [outcome for outcome in own if isinstance(outcome, Result)]
        errors = [outcome for outcome in own if isinstance(outcome, Exception)]
        if not results:
            frame.camera.count_failure(errors[0])
            continue
        for error in errors:
            frame.camera.count_failed_request(error)
        yield SegmentedFrame(frame, image, results)


def _track(segmented: SegmentedFrame, command: Command, settings: Parameters) -> SegmentedFrame:
    """Return the frame with instance ids that persist from frame to frame, if `tracking` is set."""
    camera = segmented.frame.camera
    if not settings.tracking:
        camera.trackers = Trackers()
        return segmented
    stamp = segmented.frame.message.header.stamp
    results = camera.trackers.update(
        segmented.results, requests=command.requests, stamp=stamp.sec + 1e-9 * stamp.nanosec
    )
    return segmented._replace(results=results)


def _publish(segmented: SegmentedFrame, command: Command) -> None:
    """Publish each result under the header of the frame."""
    frame, image, results = segmented
    camera = frame.camera
    for result in results:
        camera.publishers.publish(image, result, header=frame.message.header, command_id=command.id)
    camera.statistics.result_age_ms = 1e3 * (time.monotonic() - frame.arrival)
    camera.statistics.processed += 1
