"""One camera of the node: what comes of it, what is answered, and what is counted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from dmmi_core.errors import describe
from dmmi_core.result import Result
from dmmi_core.tracking import Trackers
from dmmi_ros.commands import Command
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.diagnostics import Statistics
from dmmi_ros.parameters import Parameters
from dmmi_ros.topics.depth import DepthInput
from dmmi_ros.topics.images import ImageInput
from dmmi_ros.topics.publishers import Outputs
from dmmi_ros.topics.rate_limit import RateLimit

WARNING_PERIOD_S = 5.0
TROUBLE_LASTS_S = 5.0
"""How long it is told of frames that failed, or had no depth, after the last of them."""


@dataclass(frozen=True)
class Frame:
    """A camera message and when it came, in seconds of the monotonic clock."""

    camera: "Camera"
    message: Image | CompressedImage
    arrival: float


class Camera:
    """Subscribes to `<name>/image` and publishes below `~/<name>/`; without a name, `image` and `~/`.

    `take` gets every frame, in the executor's thread. `report` gets a line where another end's QoS does not
    fit.
    """

    def __init__(
        self,
        node: LifecycleNode,
        name: str,
        *,
        take: Callable[[Frame], None],
        report: Callable[[str], None],
    ):
        self.name = name
        self.statistics = Statistics()
        self._node = node
        self._take = take
        self._report = report
        self._prefix = f"{name}/" if name else ""
        self.outputs = Outputs(node, prefix=self._prefix, report=report)
        # Compressed images come below the resolved name, so that remapping `image` is enough.
        self.topic = node.resolve_topic_name(f"{self._prefix}image")
        # Of its own, as what is throttled is throttled by logger.
        self._logger = node.get_logger().get_child(name) if name else node.get_logger()
        self._images: ImageInput | None = None
        self._depth: DepthInput | None = None
        self._trackers = Trackers()
        self._rate_limit = RateLimit()
        self._troubled_at = float("-inf")

    def subscribe(self, settings: Parameters) -> None:
        """Has `take` get frames from now on."""
        reliability = settings.image_reliability
        self._images = ImageInput(
            self._node,
            self.topic,
            transport=settings.image_transport,
            reliability=reliability,
            take=self._on_image,
            report=self._report,
        )
        if settings.depth:
            self._depth = DepthInput(
                self._node, prefix=self._prefix, reliability=reliability, report=self._report
            )

    def unsubscribe(self) -> None:
        for source in (self._images, self._depth):
            if source is not None:
                source.unsubscribe()

    def forget(self) -> None:
        """Lets go of what is kept from frame to frame; no frame may be under way."""
        self._images = self._depth = None
        self._trackers = Trackers()
        self._rate_limit = RateLimit()
        self._troubled_at = float("-inf")

    def destroy(self) -> None:
        self.unsubscribe()
        self.outputs.destroy()

    def leave_idle(self) -> None:
        """Counts a frame that nobody asked anything of."""
        self.statistics.idle += 1
        self._trackers = Trackers()

    def open(self, frame: Frame, settings: Parameters) -> np.ndarray | None:
        """The pixels of `frame`, uint8 RGB (H, W, 3); None, and counted, where it is not to be answered.

        Also holds on to the depth images that have come so far.
        """
        if not self._rate_limit.admits(frame.arrival, settings.max_rate):
            self.statistics.skipped += 1
            return None
        if self._depth is not None:
            self._depth.hold()
        try:
            image = to_rgb(frame.message)
        except Exception as error:
            self.fail(error)
            return None
        self._rate_limit.count(frame.arrival, settings.max_rate)
        return image

    def hurry(self) -> None:
        """Does not wait any longer for the depth image of an answered frame."""
        if self._depth is not None:
            self._depth.hurry()

    def fail(self, error: Exception) -> None:
        """Counts a frame that has no answer because of `error`, and says so."""
        self.statistics.failed += 1
        self._complain("a frame has no answer", error)

    def fail_request(self, error: Exception) -> None:
        """The same for one request, where others have their answers for the frame."""
        self.statistics.failed_requests += 1
        self._complain("a request has no answer", error)

    def publish(
        self,
        frame: Frame,
        image: np.ndarray,
        results: Sequence[Result],
        command: Command,
        settings: Parameters,
    ) -> None:
        """Publishes the answers to requests of `command`; `image` is the frame, uint8 RGB (H, W, 3)."""
        if settings.tracking:
            results = self._trackers.update(results, requests=command.requests)
        else:
            self._trackers = Trackers()
        for result in results:
            self.outputs.publish(image, result, header=frame.message.header, command_id=command.id)
        self.statistics.result_age_ms = 1e3 * (time.monotonic() - frame.arrival)
        self.statistics.processed += 1

    def publish_poses(self, frame: Frame, results: Sequence[Result], settings: Parameters) -> None:
        """Publishes where the instances of the answers for `frame` are, if this camera has depth.

        To be called last, as it may wait for the depth image; not for long where `hurry` is called.
        """
        if self._depth is None or not self.outputs.has_poses_listener:
            return
        tolerance, header = settings.depth_tolerance, frame.message.header
        try:
            places = self._depth.points(results, header, tolerance=tolerance, arrival=frame.arrival)
            for points in places:
                self.outputs.publish_poses(points, header=header)
        except Exception as error:  # an odd depth image must not cost the answers
            self.statistics.without_depth += len(results)
            self._complain("a frame has no poses", error)

    def trouble(self) -> str:
        """What went wrong in the last seconds; empty where all went well."""
        is_recent = time.monotonic() - self._troubled_at < TROUBLE_LASTS_S
        return self.statistics.last_error if is_recent else ""

    def silence(self, *, since: float, limit: float) -> str:
        """What to say where no frame came; see `ImageInput.silence`."""
        return self._images.silence(since=since, limit=limit) if self._images else ""

    def _complain(self, said: str, error: Exception) -> None:
        self.statistics.last_error, self._troubled_at = describe(error), time.monotonic()
        self._logger.warning(
            f"{self.topic}: {said}: {self.statistics.last_error}", throttle_duration_sec=WARNING_PERIOD_S
        )

    def _on_image(self, message: Image | CompressedImage, arrival: float, lost: int) -> None:
        self.statistics.lost += lost
        self.statistics.received += 1
        self._take(Frame(self, message, arrival))
