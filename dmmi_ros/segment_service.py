"""The service ~/segment: one image, several requests, independently of the topics."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from dmmi.srv import Segment
from dmmi_core.errors import InputError, describe
from dmmi_ros.conversion.bit_depth import BitDepth
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.futures import awaitable
from dmmi_ros.segmenting import Outcome
from dmmi_ros.worker import MAX_JOBS, Job, Worker, WorkerBusy, WorkerStopped

TEXTS_AT_ONCE = 8
"""Texts that are segmented before frames get their turn."""


class SegmentService:
    """Serves ~/segment of `node`: each call is a job of `worker`, whose thread calls `segment`.

    `segment` returns the outcome of each pair of image and text, `bits` the parameter of this name.
    """

    def __init__(
        self,
        node: Node,
        worker: Worker,
        segment: Callable[[Sequence[np.ndarray], Sequence[str]], list[Outcome]],
        bits: Callable[[], int],
    ):
        self._node = node
        self._worker = worker
        self._segment = segment
        self._bits = bits
        self._messages = MessageBuilder.for_rclpy()
        # In its own group, or a request under way would keep every other callback waiting.
        node.create_service(Segment, "~/segment", self._on_call, callback_group=ReentrantCallbackGroup())

    async def _on_call(self, request: Segment.Request, response: Segment.Response) -> Segment.Response:
        future: Any = awaitable(self._node)
        self._worker.submit(self._outcomes(request), future)
        try:
            self._fill(response, request, await future)
        except WorkerStopped:
            response.message = "the node is not active"
        except WorkerBusy:
            response.message = f"the node is busy: {MAX_JOBS} requests come first; ask again later"
        except Exception as error:
            response.message = describe(error)
        return response

    def _outcomes(self, request: Segment.Request) -> Job:
        """Return the outcome of each command; yield between batches. Raises `InputError` for a bad image."""
        if not request.commands:
            raise InputError("the request has no commands")
        image = to_rgb(request.image, BitDepth(self._bits()))
        outcomes: list[Outcome] = []
        for start in range(0, len(request.commands), TEXTS_AT_ONCE):
            if start:
                yield
            texts = request.commands[start : start + TEXTS_AT_ONCE]
            outcomes += self._segment([image] * len(texts), texts)
        return outcomes

    def _fill(self, response: Segment.Response, request: Segment.Request, outcomes: list[Outcome]) -> None:
        header = request.image.header
        response.results = [
            self._messages.answer(text, outcome, header=header, command_id=0)
            for text, outcome in zip(request.commands, outcomes, strict=True)
        ]
        response.errors = [describe(each) if isinstance(each, Exception) else "" for each in outcomes]
        failures = [f"request {n}: {error}" for n, error in enumerate(response.errors, start=1) if error]
        response.success = not failures
        response.message = "; ".join(failures)
