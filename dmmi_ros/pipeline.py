"""The path of a frame through the worker's thread: decode, segment, track, publish."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from geometry_msgs.msg import PoseArray

from dmmi_core.errors import describe
from dmmi_core.result import Result
from dmmi_core.tracking import Trackers
from dmmi_ros.camera import Frame
from dmmi_ros.commands import Command, Commands
from dmmi_ros.conversion.depth import points_of, to_pose_array
from dmmi_ros.locations import locate
from dmmi_ros.parameters import Parameters
from dmmi_ros.searches import Search, Searches
from dmmi_ros.segmenting import Outcome, segment_pairs
from dmmi_ros.topics.transforms import Transforms

if TYPE_CHECKING:
    from dmmi_core.segmenter import Segmenter


class Task(NamedTuple):
    """A frame and what is looked for in it."""

    frame: Frame
    requests: tuple[str, ...]
    """Those of the command."""
    searches: tuple[Search, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All distinct texts."""
        return tuple(dict.fromkeys([*self.requests, *(search.request for search in self.searches)]))


class DecodedFrame(NamedTuple):
    """A task and the image of its frame, uint8 RGB (H, W, 3)."""

    task: Task
    image: np.ndarray


class SegmentedFrame(NamedTuple):
    """A frame, its image, and the outcome of each request: at least one is a result."""

    frame: Frame
    image: np.ndarray
    outcomes: list[Outcome]

    @property
    def results(self) -> list[Result]:
        """The results of the requests that succeeded."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Result)]


class Pipeline:
    """Processes frames with `segmenter`.

    Locations of instances are published in the frame of `transforms`, or in that of the camera without it.
    """

    def __init__(
        self,
        segmenter: "Segmenter",
        *,
        commands: Commands,
        searches: Searches,
        transforms: Transforms | None = None,
    ):
        self._segmenter = segmenter
        self._transforms = transforms
        self._commands = commands
        self._searches = searches

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
        asked = command.requests if command else ()
        tasks = [Task(frame, asked, self._searches.of(frame.camera.name)) for frame in frames]
        _count_idle(task.frame for task in tasks if not task.texts)
        decoded = list(_decode((task for task in tasks if task.texts), settings))
        if not decoded:
            return
        start = time.monotonic()
        outcomes = self._segment_tasks(decoded, settings)
        inference_ms = 1e3 * (time.monotonic() - start)
        for each in decoded:
            each.task.frame.camera.statistics.inference_ms = inference_ms
        if command and self._commands.goes_on(command, timeout=settings.command_timeout):
            self._answer_command(decoded, outcomes, command, settings)
        else:
            for each, own in zip(decoded, outcomes, strict=True):
                _count_without_command(each.task, own)
        for each, own in zip(decoded, outcomes, strict=True):
            self._answer_searches(each.task, own, settings)

    def segment(
        self, images: Sequence[np.ndarray], texts: Sequence[str], settings: Parameters
    ) -> list[Outcome]:
        """Return the outcome of each pair of an image, uint8 RGB (H, W, 3), and a text."""
        return segment_pairs(self._segmenter, images, texts, settings)

    def _segment_tasks(self, decoded: list[DecodedFrame], settings: Parameters) -> list[dict[str, Outcome]]:
        """Return for each task the outcome of each text; all tasks make one batch."""
        images = [each.image for each in decoded for _ in each.task.texts]
        texts = [text for each in decoded for text in each.task.texts]
        outcomes = iter(self.segment(images, texts, settings))
        return [{text: next(outcomes) for text in each.task.texts} for each in decoded]

    def _answer_command(
        self,
        decoded: list[DecodedFrame],
        outcomes: list[dict[str, Outcome]],
        command: Command,
        settings: Parameters,
    ) -> None:
        """Publish the results of `command`; first all of them, as poses may wait for depth images."""
        published = []
        for segmented in _successes(decoded, outcomes, command):
            try:
                tracked = _track(segmented, command, settings)
                _publish(tracked, command)
                published.append(tracked)
            except Exception as error:  # costs this frame only
                segmented.frame.camera.count_failure(error)
        for segmented in published:
            self._publish_locations(segmented, settings)

    def _answer_searches(self, task: Task, outcomes: dict[str, Outcome], settings: Parameters) -> None:
        """Report the outcomes to the searches, and end those that found their target."""
        for search in task.searches:
            try:
                outcome = outcomes[search.request]
                if search.see(task.frame.message.header, outcome):
                    search.poses = self._poses_for(search, task.frame, settings)
                    search.end()
            except Exception as error:  # costs this search only
                search.end(describe(error))

    def _publish_locations(self, segmented: SegmentedFrame, settings: Parameters) -> None:
        """Publish the locations of the instances if the camera has depth and somebody listens."""
        frame, results, camera = segmented.frame, segmented.results, segmented.frame.camera
        if camera.depth is None or not camera.publishers.has_location_listener:
            return
        try:
            header, located = locate(results, frame, camera.depth, settings, self._transforms)
            for result, locations in zip(results, located, strict=True):
                camera.publishers.publish_locations(result, locations, header=header)
        except Exception as error:  # a bad depth image must not cost the results
            camera.count_without_depth(len(results), error)

    def _poses_for(self, search: Search, frame: Frame, settings: Parameters) -> PoseArray | None:
        """Return the poses of what was found if the camera has depth; warn if they cannot be had."""
        camera = frame.camera
        if camera.depth is None or search.last is None or not isinstance(search.last.outcome, Result):
            return None
        try:
            header, (locations,) = locate(
                [search.last.outcome], frame, camera.depth, settings, self._transforms
            )
            return to_pose_array(points_of(locations), header)
        except Exception as error:
            camera.count_without_depth(1, error)
            return None


def _count_without_command(task: Task, outcomes: dict[str, Outcome]) -> None:
    """Count a frame that has results for searches only, or for nobody as its command was cancelled."""
    camera = task.frame.camera
    camera.trackers = Trackers()
    own = [outcomes[search.request] for search in task.searches]
    errors = [outcome for outcome in own if isinstance(outcome, Exception)]
    if not own:
        camera.count_idle()
    elif len(errors) == len(own):
        camera.count_failure(errors[0])
    else:
        camera.statistics.processed += 1


def _count_idle(frames: Iterable[Frame]) -> None:
    for frame in frames:
        frame.camera.count_idle()


def _decode(tasks: Iterable[Task], settings: Parameters) -> Iterator[DecodedFrame]:
    """Yield the frames that `max_rate` admits with their images; count the others."""
    for task in tasks:
        frame, camera = task.frame, task.frame.camera
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
        yield DecodedFrame(task, image)


def _successes(
    decoded: Iterable[DecodedFrame], outcomes: Iterable[dict[str, Outcome]], command: Command
) -> Iterator[SegmentedFrame]:
    """Yield the frames that have results; count the requests and the frames that failed."""
    for (task, image), by_text in zip(decoded, outcomes, strict=True):
        camera, own = task.frame.camera, [by_text[request] for request in command.requests]
        errors = [outcome for outcome in own if isinstance(outcome, Exception)]
        if len(errors) == len(own):
            camera.count_failure(errors[0])
            continue
        for error in errors:
            camera.count_failed_request(error)
        yield SegmentedFrame(task.frame, image, own)


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
    tracked = iter(results)
    outcomes = [next(tracked) if isinstance(each, Result) else each for each in segmented.outcomes]
    return segmented._replace(outcomes=outcomes)


def _publish(segmented: SegmentedFrame, command: Command) -> None:
    """Publish the results under the header of the frame."""
    frame, image, outcomes = segmented
    camera = frame.camera
    camera.publishers.publish(
        image, command.requests, outcomes, header=frame.message.header, command_id=command.id
    )
    camera.statistics.result_age_ms = 1e3 * (time.monotonic() - frame.arrival)
    camera.statistics.processed += 1
