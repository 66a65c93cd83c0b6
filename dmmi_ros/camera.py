"""The state of one camera: its topics, statistics and trackers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from dmmi_core.errors import describe
from dmmi_core.tracking import Trackers
from dmmi_ros.conversion.bit_depth import BitDepth
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.parameters import Parameters
from dmmi_ros.statistics import Statistics
from dmmi_ros.topics.depth import DepthInput
from dmmi_ros.topics.images import ImageInput
from dmmi_ros.topics.publishers import Publishers
from dmmi_ros.topics.rate_limit import RateLimit

WARNING_PERIOD_S = 5.0
RECENT_ERROR_S = 5.0
"""Seconds for which a failure stays on /diagnostics."""


@dataclass(frozen=True)
class Frame:
    """An image message of a camera and its time of arrival, in seconds of the monotonic clock."""

    camera: "Camera"
    message: Image | CompressedImage
    arrival: float


class Camera:
    """Holds everything that the node keeps for one camera.

    Camera `name` has its images on `<name>/image` and its results below `~/<name>/`; the camera without a
    name has `image` and `~/`.
    """

    def __init__(self, node: LifecycleNode, name: str):
        self.name = name
        self.statistics = Statistics()
        self._node = node
        self._prefix = f"{name}/" if name else ""
        self.publishers = Publishers(node, prefix=self._prefix)
        # Compressed images are looked for below the resolved name, so that remapping `image` is enough.
        self.topic = node.resolve_topic_name(f"{self._prefix}image")
        # One logger for each camera, because rclpy throttles messages by logger.
        self._logger = node.get_logger().get_child(name) if name else node.get_logger()
        self.reset()

    def reset(self) -> None:
        """Drop all that is kept from frame to frame; no frame may be under way."""
        self._images: ImageInput | None = None
        self.depth: DepthInput | None = None
        self.trackers = Trackers()
        self.rate_limit = RateLimit()
        self._bit_depth = BitDepth()
        self._failed_at = float("-inf")

    def subscribe(self, settings: Parameters, *, on_frame: Callable[[Frame], None]) -> None:
        """Subscribe to images and, if asked for, depth; `on_frame` is called in the executor's thread."""
        self._bit_depth = BitDepth(settings.bits)
        reliability = settings.image_reliability
        self._images = ImageInput(
            self._node,
            self.topic,
            transport=settings.image_transport,
            reliability=reliability,
            statistics=self.statistics,
            on_image=lambda message, arrival: on_frame(Frame(self, message, arrival)),
        )
        if settings.depth:
            self.depth = DepthInput(self._node, prefix=self._prefix, reliability=reliability)

    def unsubscribe(self) -> None:
        """End the subscriptions."""
        for source in (self._images, self.depth):
            if source is not None:
                source.unsubscribe()

    def destroy(self) -> None:
        """End the subscriptions and the publishers."""
        self.unsubscribe()
        self.publishers.destroy()

    def decode(self, message: Image | CompressedImage) -> np.ndarray:
        """Return the image as uint8 RGB (H, W, 3); warn once if its 16-bit samples hold fewer bits.

        Raises `InputError` as `to_rgb` does.
        """
        image = to_rgb(message, self._bit_depth)
        if warning := self._bit_depth.warning():
            self._logger.warning(f"{self.topic}: {warning}", once=True)
        return image

    def stop_waiting(self) -> None:
        """Stop waiting for the depth image of a processed frame: another frame is due."""
        if self.depth is not None:
            self.depth.stop_waiting()

    def count_idle(self) -> None:
        """Count a frame that came while there was no command; tracks end with the command."""
        self.statistics.idle += 1
        self.trackers = Trackers()

    def count_failure(self, error: Exception) -> None:
        """Count a frame that has no result because of `error`, and warn."""
        self.statistics.failed += 1
        self._warn("a frame has no answer", error)

    def count_failed_request(self, error: Exception) -> None:
        """Count a request that failed in a frame for which others succeeded, and warn."""
        self.statistics.failed_requests += 1
        self._warn("a request has no answer", error)

    def count_without_depth(self, results: int, error: Exception) -> None:
        """Count `results` that have no poses because of `error`, and warn."""
        self.statistics.without_depth += results
        self._warn("a frame has no poses", error)

    def recent_error(self) -> str:
        """Return the last error if it is recent, else an empty string."""
        is_recent = time.monotonic() - self._failed_at < RECENT_ERROR_S
        return self.statistics.last_error if is_recent else ""

    def staleness(self, *, since: float, limit: float) -> str:
        """Return a warning if no image came for too long; see `ImageInput.staleness`."""
        return self._images.staleness(since=since, limit=limit) if self._images else ""

    def loss_advice(self) -> str:
        """Return what to do about lost frames; see `ImageInput.loss_advice`."""
        return self._images.loss_advice() if self._images else ""

    def _warn(self, consequence: str, error: Exception) -> None:
        self.statistics.last_error, self._failed_at = describe(error), time.monotonic()
        self._logger.warning(
            f"{self.topic}: {consequence}: {self.statistics.last_error}",
            throttle_duration_sec=WARNING_PERIOD_S,
        )
