"""The depth images of one camera, and the locations of instances found with them."""

import threading
import time
from collections.abc import Sequence

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.conversion.depth import DepthOptions, Location, camera_matrix, depth_in_metres, locate
from dmmi_ros.topics.subscriptions import subscribe, unsubscribe

KEPT_IMAGES = 10
MAX_WAIT_S = 0.1
SAME_NS = 5_000_000
"""Difference in stamps, in nanoseconds, up to which a frame and a depth image show the same instant."""


class DepthInput:
    """Subscribes to `depth` and `camera_info` below `prefix` and keeps the newest messages.

    The executor's thread receives messages and may call `stop_waiting`; the worker's thread calls `snapshot`
    and `locate`.
    """

    def __init__(self, node: Node, *, prefix: str, reliability: str):
        self._node = node
        self._prefix = prefix
        self._has_warned = False
        self._changed = threading.Condition()
        self._images: tuple[Image, ...] = ()
        self._snapshot: tuple[Image, ...] = ()
        self._info: CameraInfo | None = None
        self._may_wait = True
        self._subscriptions = subscribe(
            node,
            [
                (Image, f"{prefix}depth", self._on_image),
                (CameraInfo, f"{prefix}camera_info", self._on_info),
            ],
            reliability=reliability,
        )

    def snapshot(self) -> None:
        """Keep the depth images received so far for the frame that is processed next.

        Newer ones would otherwise push them out during the inference.
        """
        with self._changed:
            self._snapshot, self._may_wait = self._images, True

    def stop_waiting(self) -> None:
        """Stop waiting for the frame's depth image: another frame is due."""
        with self._changed:
            self._may_wait = False
            self._changed.notify_all()

    def unsubscribe(self) -> None:
        """End the subscriptions and the wait."""
        unsubscribe(self._node, self._subscriptions)
        self.stop_waiting()

    def locate(
        self,
        results: Sequence[Result],
        header: Header,
        *,
        tolerance: float,
        arrival: float,
        options: DepthOptions,
    ) -> list[list[Location | None]]:
        """Return for each result the location of each instance in the optical frame, or None without depth.

        The results are those of the frame with `header`, which came at `arrival` by the monotonic clock. Its
        depth image may come a little later: waits until `tolerance` seconds after `arrival`, but at most
        `MAX_WAIT_S`, and not after `stop_waiting`.

        Raises `InputError` without a calibration, without a depth image within `tolerance` seconds of
        `header`, and if these cannot be used.
        """
        if not any(result.instances for result in results):
            return [[] for _ in results]
        self._wait(header, until=arrival + min(tolerance, MAX_WAIT_S))
        nearest = min(
            self._known(), key=lambda image: abs(_nanoseconds(image.header, since=header)), default=None
        )
        if nearest is None or abs(_nanoseconds(nearest.header, since=header)) > 1e9 * tolerance:
            raise InputError(f"no depth image within {tolerance:g} s of a frame")
        if self._info is None:
            raise InputError("no camera_info yet")
        self._compare_frames(header, nearest.header)
        size = results[0].mask.shape[0], results[0].mask.shape[1]
        depth, matrix = depth_in_metres(nearest, options), camera_matrix(self._info, size)
        return [
            [
                locate(instance, depth, matrix, size=size, min_share=options.min_share)
                for instance in result.instances
            ]
            for result in results
        ]

    def _compare_frames(self, header: Header, depth_header: Header) -> None:
        """Warn once if the depth image is not of the view of the image."""
        if self._has_warned or depth_header.frame_id in ("", header.frame_id) or not header.frame_id:
            return
        self._has_warned = True
        self._node.get_logger().warning(
            f"{self._prefix}depth is in the frame {depth_header.frame_id!r}, the images are in "
            f"{header.frame_id!r}: positions are wrong unless the depth is registered to the images; "
            "subscribe to registered depth, which many drivers offer (align_depth) and depth_image_proc makes"
        )

    def _wait(self, header: Header, *, until: float) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: not self._may_wait or self._has_come(header), timeout=until - time.monotonic()
            )

    def _known(self) -> tuple[Image, ...]:
        return (*self._snapshot, *self._images)

    def _has_come(self, header: Header) -> bool:
        """Whether a depth image of the same instant as `header`, or a later one, has come."""
        return any(_nanoseconds(image.header, since=header) >= -SAME_NS for image in self._known())

    def _on_image(self, message: Image) -> None:
        with self._changed:
            before = self._images
            if before and _nanoseconds(message.header, since=before[-1].header) < 0:
                before = ()  # time jumped back, as when a bag starts again
            self._images = (*before, message)[-KEPT_IMAGES:]
            self._changed.notify_all()

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message


def _nanoseconds(header: Header, *, since: Header) -> int:
    stamp, start = header.stamp, since.stamp
    return 10**9 * (stamp.sec - start.sec) + stamp.nanosec - start.nanosec
