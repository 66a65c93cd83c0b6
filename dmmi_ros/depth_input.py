"""From the depth images of one camera to where its instances are."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_core.result import Result
from dmmi_ros.depth import camera_matrix, depth_in_metres, locate
from dmmi_ros.qos import image_qos, subscription_events

KEPT_IMAGES = 10
LONGEST_WAIT_S = 0.1
_NOWHERE = np.full(3, np.nan)


class DepthInput:
    """Subscribes to `depth` and `camera_info` below `prefix` and keeps the newest of them.

    The executor's thread puts in, the worker's looks up: what both see is only ever exchanged.
    """

    def __init__(self, node: Node, *, prefix: str, reliability: str, report: Callable[[str], None]):
        self._node = node
        self._images: tuple[Image, ...] = ()
        self._held: tuple[Image, ...] = ()
        self._info: CameraInfo | None = None
        self._changed = threading.Condition()
        self._subscriptions = [
            node.create_subscription(
                type_,
                f"{prefix}{name}",
                take,
                image_qos(reliability),
                event_callbacks=subscription_events(node.resolve_topic_name(f"{prefix}{name}"), report),
            )
            for type_, name, take in (
                (Image, "depth", self._take_image),
                (CameraInfo, "camera_info", partial(setattr, self, "_info")),
            )
        ]

    def hold(self) -> None:
        """Keeps what has come so far: the depth image of the frame that is answered next may be among it,
        and newer ones take its place while the answer is made."""
        self._held = self._images

    def points(
        self, results: Sequence[Result], header: Header, *, tolerance: float, arrival: float
    ) -> list[list[np.ndarray]] | None:
        """For each result a point (3,) for each instance, NaN for one without any depth, in the camera's
        optical frame. The results are of the frame of `header`.

        A depth image often comes a little after its frame. It is waited for until `tolerance` seconds after
        the `arrival` of the frame, by the monotonic clock, but for `LONGEST_WAIT_S` at most.

        None where there is no calibration yet, or no depth image within `tolerance` seconds of `header`.
        Raises `InputError` where these cannot be used.
        """
        if self._info is None or not self._known():
            return None
        rest = arrival + min(tolerance, LONGEST_WAIT_S) - time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._has_all_until(header) or not self._subscriptions, rest)
        nearest = min(self._known(), key=lambda message: abs(_nanoseconds(message.header, since=header)))
        if abs(_nanoseconds(nearest.header, since=header)) > 1e9 * tolerance:
            return None
        size = results[0].mask.shape
        depth, matrix = depth_in_metres(nearest), camera_matrix(self._info, size)
        return [
            [_point(locate(instance, depth, matrix, size=size)) for instance in result.instances]
            for result in results
        ]

    def unsubscribe(self) -> None:
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())
        with self._changed:
            self._changed.notify_all()

    def _known(self) -> tuple[Image, ...]:
        return (*self._held, *self._images)

    def _has_all_until(self, header: Header) -> bool:
        """Whether no depth image that is still to come can be nearer to `header`."""
        return any(_nanoseconds(message.header, since=header) >= 0 for message in self._known())

    def _take_image(self, message: Image) -> None:
        with self._changed:
            self._images = (*self._images, message)[-KEPT_IMAGES:]
            self._changed.notify_all()


def _nanoseconds(header: Header, *, since: Header) -> int:
    stamp, start = header.stamp, since.stamp
    return 10**9 * (stamp.sec - start.sec) + stamp.nanosec - start.nanosec


def _point(found: np.ndarray | None) -> np.ndarray:
    return _NOWHERE if found is None else found
