"""What happens to frames, or a request, in the worker's thread: decode, segment, publish."""

import time
import traceback
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dmmi.msg import Segmentation
from dmmi.srv import Segment
from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.camera import Frame
from dmmi_ros.commands import Command, Commands
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.conversion.messages import to_segmentation
from dmmi_ros.memory import free_memory
from dmmi_ros.parameters import Parameters
from dmmi_ros.worker import Job

TEXTS_AT_ONCE = 8
"""Of a request; between them frames have their turn."""


class _Picture(NamedTuple):
    """A frame and its pixels, uint8 RGB (H, W, 3)."""

    frame: Frame
    image: np.ndarray


class Pipeline:
    """Takes frames and requests through `segmenter`."""

    def __init__(self, segmenter, *, commands: Commands):
        self._segmenter = segmenter
        self._own_threshold = segmenter.presence_threshold
        self._commands = commands

    @property
    def device(self) -> str:
        return self._segmenter.engine.device

    @property
    def engine(self) -> str:
        """The name of the engine and its precision."""
        return f"{self._segmenter.engine.name} {self._segmenter.engine.precision}"

    def process(self, frames: Sequence[Frame], settings: Parameters) -> None:
        """Publishes the answers for `frames`, of different cameras, if there is a command; raises nothing."""
        command = self._commands.current(timeout=settings.command_timeout)
        if command is None:
            for frame in frames:
                frame.camera.leave_idle()
            return
        pictures = [
            _Picture(frame, image)
            for frame in frames
            if (image := frame.camera.open(frame, settings)) is not None
        ]
        if pictures:
            self._answer_frames(pictures, command, settings)

    def answer_request(self, request: Segment.Request, settings: Parameters) -> Job:
        """Gives the list of answers, dmmi/Segmentation, one for each command of `request`.

        Raises `InputError` for a bad image or text.
        """
        if not request.commands:
            raise InputError("the request has no commands")
        image = to_rgb(request.image)
        answers: list[Segmentation] = []
        for start in range(0, len(request.commands), TEXTS_AT_ONCE):
            if start:
                yield
            texts = request.commands[start : start + TEXTS_AT_ONCE]
            for outcome in self._segment_each([image] * len(texts), texts, settings):
                if isinstance(outcome, Exception):
                    raise outcome
                answers.append(to_segmentation(outcome, header=request.image.header, command_id=0))
        return answers

    def _answer_frames(self, pictures: list[_Picture], command: Command, settings: Parameters) -> None:
        count = len(command.requests)
        images = [picture.image for picture in pictures for _ in range(count)]
        start = time.monotonic()
        outcomes = self._segment_each(images, command.requests * len(pictures), settings)
        inference_ms = 1e3 * (time.monotonic() - start)
        if not self._commands.goes_on(command, timeout=settings.command_timeout):
            for picture in pictures:
                picture.frame.camera.leave_idle()
            return
        found = []
        for place, picture in enumerate(pictures):
            picture.frame.camera.statistics.inference_ms = inference_ms
            own = outcomes[place * count : (place + 1) * count]
            found.append(self._publish(picture, own, command, settings))
        for picture, results in zip(pictures, found, strict=True):  # after all answers, as they may wait
            picture.frame.camera.publish_poses(picture.frame, results, settings)

    def _publish(
        self, picture: _Picture, outcomes: list[Result | Exception], command: Command, settings: Parameters
    ) -> list[Result]:
        """Publishes the answers among `outcomes`, and gives them."""
        frame, image = picture
        results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if not results:
            frame.camera.fail(errors[0])
            return []
        for error in errors:
            frame.camera.fail_request(error)
        try:
            frame.camera.publish(frame, image, results, command, settings)
        except Exception as error:
            frame.camera.fail(error)
            return []
        return results

    def _segment_each(
        self, images: Sequence[np.ndarray], texts: Sequence[str], settings: Parameters
    ) -> list[Result | Exception]:
        """For each image and text the answer, or what kept it from being made."""
        outcomes = self._segment_in_parts(images, texts, settings)
        if any(isinstance(each, Exception) and not isinstance(each, InputError) for each in outcomes):
            free_memory()
        return outcomes

    def _segment_in_parts(
        self, images: Sequence[np.ndarray], texts: Sequence[str], settings: Parameters
    ) -> list[Result | Exception]:
        """All in one batch; where that fails, in halves, so that only what is at fault has no result."""
        try:
            return self._segment(images, texts, settings)
        except Exception as error:
            traceback.clear_frames(error.__traceback__)  # which still hold tensors
            if len(images) == 1:
                return [error]
        half = len(images) // 2
        return [
            *self._segment_in_parts(images[:half], texts[:half], settings),
            *self._segment_in_parts(images[half:], texts[half:], settings),
        ]

    def _segment(
        self, images: Sequence[np.ndarray], texts: Sequence[str], settings: Parameters
    ) -> list[Result]:
        asked = settings.presence_threshold
        self._segmenter.presence_threshold = self._own_threshold if asked < 0 else asked
        self._segmenter.mask_threshold = settings.mask_threshold
        self._segmenter.min_area = settings.min_area
        return self._segmenter.batch(images, texts)
