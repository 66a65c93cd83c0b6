"""From the depth images of one camera to where its instances are."""

from collections.abc import Callable
from functools import partial

import numpy as np
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_core.result import Result
from dmmi_ros.depth import camera_matrix, depth_in_metres, locate
from dmmi_ros.qos import image_qos, subscription_events

KEPT_IMAGES = 10
"""Inference takes a while; the depth image of its frame must still be here then."""
_NOWHERE = np.full(3, np.nan)


class DepthInput:
    """Subscribes to `depth` and `camera_info` below `prefix` and keeps the newest of them.

    The executor's thread puts in, the worker's looks up: what both see is only ever exchanged.
    """

    def __init__(self, node: Node, *, prefix: str, reliability: str, report: Callable[[str], None]):
        self._node = node
        self._images: tuple[Image, ...] = ()
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

    def points(self, result: Result, header: Header, *, tolerance: float) -> list[np.ndarray] | None:
        """A point (3,) for each instance, NaN for one without any depth, in the camera's optical frame.

        None where there is no calibration yet, or no depth image within `tolerance` seconds of `header`.
        Raises `InputError` where these cannot be used.
        """
        info, nearest = self._info, min(self._images, key=partial(_distance, header), default=None)
        if info is None or nearest is None or _distance(header, nearest) > tolerance:
            return None
        size = result.mask.shape
        depth, matrix = depth_in_metres(nearest), camera_matrix(info, size)
        points = (locate(instance, depth, matrix, size=size) for instance in result.instances)
        return [_NOWHERE if point is None else point for point in points]

    def destroy(self) -> None:
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

    def _take_image(self, message: Image) -> None:
        self._images = (*self._images, message)[-KEPT_IMAGES:]


def _distance(header: Header, message: Image) -> float:
    """Seconds between two stamps."""
    return abs((Time.from_msg(header.stamp) - Time.from_msg(message.header.stamp)).nanoseconds) * 1e-9
