"""Transforms from the frames of the cameras to that of the robot, by tf2: an optional package."""

import time
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Quaternion, TransformStamped
from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import Header

from dmmi_core.errors import InputError, one_line
from dmmi_ros.conversion.depth import Location

MAX_WAIT_S = 0.1
POLL_S = 0.005
Locations = Sequence[Sequence[Location | None]]


class Transforms:
    """Listens to /tf and /tf_static with `node` until it is closed; moves locations to `target_frame`."""

    def __init__(self, node: Node, target_frame: str):
        """Raises `InputError` if tf2_ros is not installed."""
        try:
            import tf2_ros
        except Exception as error:  # not installed, or built for another Python
            raise InputError(
                f"target_frame needs tf2_ros, which cannot be imported ({one_line(error)}): install the "
                "package ros-$ROS_DISTRO-tf2-ros-py, or leave target_frame empty"
            ) from error
        self._target_frame = target_frame
        self._failure = tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def move(self, located: Locations, header: Header) -> tuple[Header, list[list[Location | None]]]:
        """Return the locations and their header in the target frame, by the transform at the header's stamp.

        It may come a little later than the image: waits up to `MAX_WAIT_S`. Raises `InputError` if it does
        not come.
        """
        moved = Header(stamp=header.stamp, frame_id=self._target_frame)
        if not any(location for locations in located for location in locations):
            return moved, [list(locations) for locations in located]
        rotation, translation = rotation_and_translation(self._look_up(header))
        return moved, [
            [location and location.moved(rotation, translation) for location in locations]
            for locations in located
        ]

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()

    def _look_up(self, header: Header) -> TransformStamped:
        if not header.frame_id:
            raise InputError("the images have no frame_id, which target_frame needs")
        deadline = time.monotonic() + MAX_WAIT_S
        while True:
            # tf2's own wait uses the clock of the node, which may stand still.
            try:
                return self._buffer.lookup_transform(
                    self._target_frame, header.frame_id, Time.from_msg(header.stamp)
                )
            except self._failure as error:
                if time.monotonic() > deadline:
                    raise InputError(
                        f"no transform from {header.frame_id!r} to {self._target_frame!r}: {one_line(error)}"
                    ) from error
            time.sleep(POLL_S)


def rotation_and_translation(transform: TransformStamped) -> tuple[np.ndarray, np.ndarray]:
    """Return the rotation, (3, 3), and the translation, (3,), of a transform."""
    translation = transform.transform.translation
    return _matrix(transform.transform.rotation), np.array([translation.x, translation.y, translation.z])


def _matrix(rotation: Quaternion) -> np.ndarray:
    x, y, z, w = np.array([rotation.x, rotation.y, rotation.z, rotation.w])
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
