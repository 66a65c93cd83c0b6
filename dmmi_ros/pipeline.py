"""What happens to a frame, or a request, in the worker's thread: decode, segment, publish."""

import time
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from dmmi.msg import Segmentation
from dmmi.srv import Segment
from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.commands import Commands
from dmmi_ros.diagnostics import Statistics
from dmmi_ros.images import to_rgb
from dmmi_ros.messages import to_segmentation
from dmmi_ros.outputs import Outputs
from dmmi_ros.parameters import Parameters


@dataclass(frozen=True)
class Frame:
    """A camera message and when it came, in seconds of the monotonic clock."""

    message: Image | CompressedImage
    arrival: float


class Pipeline:
    """Takes frames and requests through `segmenter`, one at a time."""

    def __init__(self, segmenter, *, commands: Commands, outputs: Outputs, statistics: Statistics):
        self._segmenter = segmenter
        self._commands = commands
        self._outputs = outputs
        self._statistics = statistics

    @property
    def device(self) -> str:
        return self._segmenter.device

    def warm_up(self) -> None:
        """Runs once on nothing, so that the first frame does not wait for what is set up on first use."""
        self._segmenter(np.zeros((480, 640, 3), np.uint8), "warm up")

    def process(self, frame: Frame, parameters: Parameters) -> None:
        """Publishes the answer for `frame`, if there is a command; raises `InputError` for a bad image."""
        command = self._commands.current(timeout=parameters.command_timeout)
        if command is None:
            self._statistics.idle += 1
            return
        image = to_rgb(frame.message)
        start = time.monotonic()
        result = self._segment(image, command.text, parameters)
        self._statistics.inference_ms = 1e3 * (time.monotonic() - start)
        self._outputs.publish(image, result, header=frame.message.header, command_id=command.id)
        self._statistics.result_age_ms = 1e3 * (time.monotonic() - frame.arrival)
        self._statistics.processed += 1

    def answer(self, request: Segment.Request, parameters: Parameters) -> list[Segmentation]:
        """One answer for each command of `request`; raises `InputError` for a bad image or text."""
        if not request.commands:
            raise InputError("the request has no commands")
        image = to_rgb(request.image)
        results = [self._segment(image, text, parameters) for text in request.commands]
        return [to_segmentation(result, header=request.image.header, command_id=0) for result in results]

    def _segment(self, image: np.ndarray, text: str, parameters: Parameters) -> Result:
        self._segmenter.presence_threshold = parameters.presence_threshold
        self._segmenter.mask_threshold = parameters.mask_threshold
        self._segmenter.min_area = parameters.min_area
        return self._segmenter(image, text)
