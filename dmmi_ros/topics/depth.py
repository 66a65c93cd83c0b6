"""From the depth images of one camera to where its instances are."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_ros.conversion.depth import camera_matrix, depth_in_metres, locate
from dmmi_ros.topics.subscriptions import subscribe, unsubscribe

KEPT_IMAGES = 10
LONGEST_WAIT_S = 0.1
SAME_NS = 5_000_000
"""Stamps of a frame and of a depth image that differ no more are those of one instant."""
_NOWHERE = np.full(3, np.nan)


class DepthInput:
    """Subscribes to `depth` and `camera_info` below `prefix` and keeps the newest of them.

    The executor's thread puts in and may `hurry`; the worker's holds and looks up.
    """

    def __init__(self, node: Node, *, prefix: str, reliability: str, report: Callable[[str], None]):
        self._node = node
        self._changed = threading.Condition()
        self._images: tuple[Image, ...] = ()
        self._held: tuple[Image, ...] = ()
        self._info: CameraInfo | None = None
        self._is_hurried = False
        self._subscriptions = subscribe(
            node,
            [
                (Image, f"{prefix}depth", self._take_image),
                (CameraInfo, f"{prefix}camera_info", self._take_info),
            ],
            reliability=reliability,
            report=report,
        )

    def hold(self) -> None:
        """Keeps what has come so far: the depth image of the frame that is answered next may be among it,
        and newer ones take its place while the answer is made."""
        with self._changed:
            self._held, self._is_hurried = self._images, False

    def hurry(self) -> None:
        """Ends the wait for the depth image of the frame that was held for: there is other work."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()

    def unsubscribe(self) -> None:
        unsubscribe(self._node, self._subscriptions)
        self.hurry()

    def points(
        self, results: Sequence[Result], header: Header, *, tolerance: float, arrival: float
    ) -> list[list[np.ndarray]]:
        """For each result a point (3,) for each instance, NaN for one without any depth, in the camera's
        optical frame. The results are of the frame of `header`.

        A depth image often comes a little after its frame. It is waited for until `tolerance` seconds after
        the `arrival` of the frame, by the monotonic clock, but for `LONGEST_WAIT_S` at most, and not while
        there is other work.

        Raises `InputError` where there is no calibration yet, no depth image within `tolerance` seconds of
        `header`, or where these cannot be used.
        """
        if not any(result.instances for result in results):
            return [[] for _ in results]
        self._wait(header, until=arrival + min(tolerance, LONGEST_WAIT_S))
        nearest = min(
            self._known(), key=lambda image: abs(_nanoseconds(image.header, since=header)), default=None
        )
        if nearest is None or abs(_nanoseconds(nearest.header, since=header)) > 1e9 * tolerance:
            raise InputError(f"no depth image within {tolerance:g} s of a frame")
        if self._info is None:
            raise InputError("no camera_info yet")
        size = results[0].mask.shape
        depth, matrix = depth_in_metres(nearest), camera_matrix(self._info, size)
        return [
            [_point(locate(instance, depth, matrix, size=size)) for instance in result.instances]
            for result in results
        ]

    def _wait(self, header: Header, *, until: float) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_hurried or self._has_come(header), timeout=until - time.monotonic()
            )

    def _known(self) -> tuple[Image, ...]:
        return (*self._held, *self._images)

    def _has_come(self, header: Header) -> bool:
        """Whether no depth image that is still to come belongs to `header`."""
        return any(_nanoseconds(image.header, since=header) >= -SAME_NS for image in self._known())

    def _take_image(self, message: Image) -> None:
        with self._changed:
            before = self._images
            if before and _nanoseconds(message.header, since=before[-1].header) < 0:
                before = ()  # a bag began anew
            self._images = (*before, message)[-KEPT_IMAGES:]
            self._changed.notify_all()

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message


def _nanoseconds(header: Header, *, since: Header) -> int:
    stamp, start = header.stamp, since.stamp
    return 10**9 * (stamp.sec - start.sec) + stamp.nanosec - start.nanosec


def _point(found: np.ndarray | None) -> np.ndarray:
    return _NOWHERE if found is None else found
