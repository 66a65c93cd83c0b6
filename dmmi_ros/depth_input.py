"""From the depth images of one camera to where its instances are."""

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
        self, results: Sequence[Result], header: Header, *, tolerance: float
    ) -> list[list[np.ndarray]] | None:
        """For each result a point (3,) for each instance, NaN for one without any depth, in the camera's
        optical frame. The results are of the frame of `header`.

        None where there is no calibration yet, or no depth image within `tolerance` seconds of `header`.
        Raises `InputError` where these cannot be used.
        """
        images = (*self._held, *self._images)
        info, nearest = self._info, min(images, key=partial(_distance, header), default=None)
        if info is None or nearest is None or _distance(header, nearest) > tolerance:
            return None
        size = results[0].mask.shape
        depth, matrix = depth_in_metres(nearest), camera_matrix(info, size)
        return [
            [_point(locate(instance, depth, matrix, size=size)) for instance in result.instances]
            for result in results
        ]

    def unsubscribe(self) -> None:
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

    def _take_image(self, message: Image) -> None:
        self._images = (*self._images, message)[-KEPT_IMAGES:]


def _distance(header: Header, message: Image) -> float:
    """Seconds between two stamps."""
    first, second = header.stamp, message.header.stamp
    return abs((first.sec - second.sec) + 1e-9 * (first.nanosec - second.nanosec))


def _point(found: np.ndarray | None) -> np.ndarray:
    return _NOWHERE if found is None else found
