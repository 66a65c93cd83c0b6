"""Positions and extents of instances, from a depth image that is registered to the camera image.

Depth images follow REP 118; points are in the optical frame of REP 103: x right, y down, z forward.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import Point, Pose, PoseArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_core.result import Instance
from dmmi_ros.conversion.decoding import rows_of

_ENCODINGS: dict[str, tuple[type, float]] = {"16UC1": (np.uint16, 1e-3), "32FC1": (np.float32, 1.0)}
"""Pixel type and its unit in metres (REP 118)."""
_PIXEL_BYTES = {encoding: np.dtype(type_).itemsize for encoding, (type_, _) in _ENCODINGS.items()}

MAX_POINTS = 10_000
"""Pixels of a larger instance are sampled, evenly."""
OUTLIER_DEVIATIONS = 4.0
"""Points whose depth is this many standard deviations from the median are background or noise,"""
OUTLIER_SHARE = 0.05
"""unless the difference is at most this share of the distance."""
BOX_PERCENTILES = 1, 99


@dataclass(frozen=True)
class DepthOptions:
    """Describes which depth is used: `units` in metres (0: that of REP 118), from `nearest` to `farthest` in
    metres (0: without limit), and only for instances that have it on a `min_share` of their pixels."""

    units: float = 0.0
    nearest: float = 0.0
    farthest: float = 0.0
    min_share: float = 0.0


REP_118 = DepthOptions()


@dataclass(frozen=True)
class Location:
    """A place in metres: the `centroid` of an instance, (3,), and `points` of its visible surface, (N, 3)."""

    centroid: np.ndarray
    points: np.ndarray

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> "Location":
        """Return the place in another frame: rotated by (3, 3), then moved by (3,)."""
        return Location(rotation @ self.centroid + translation, self.points @ rotation.T + translation)

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return centre and size, (3,) each, of the box along the axes that holds all but stray points."""
        low, high = np.percentile(self.points, BOX_PERCENTILES, axis=0)
        return (low + high) / 2, high - low


def depth_in_metres(message: Image, options: DepthOptions = REP_118) -> np.ndarray:
    """Return the depth image as float32 (H, W); pixels without usable depth are NaN.

    Raises `InputError` for encodings other than 16UC1 and 32FC1 and for inconsistent sizes.
    """
    rows = np.ascontiguousarray(rows_of(message, _PIXEL_BYTES))
    type_, unit = _ENCODINGS[message.encoding]
    stored = np.dtype(type_).newbyteorder(">" if message.is_bigendian else "<")
    depth = rows.view(stored).astype(np.float32) * np.float32(options.units or unit)
    usable = np.isfinite(depth) & (depth > 0) & (depth >= options.nearest)
    if options.farthest:
        usable &= depth <= options.farthest
    return np.where(usable, depth, np.float32(np.nan))


def camera_matrix(info: CameraInfo, size: tuple[int, int]) -> np.ndarray:
    """Return the camera matrix, float64 (3, 3), for an image of `size` (height, width).

    It is that of the rectified image, P, to which depth is registered, or K if there is no P. The image may
    be a region of interest of the calibrated one, binned or resized (REP 104). Raises `InputError` if the
    camera is not calibrated.
    """
    projection, intrinsic = np.reshape(info.p, (3, 4))[:, :3], np.reshape(info.k, (3, 3))
    matrix = np.array(projection if projection[0, 0] > 0 else intrinsic, np.float64)
    if not (matrix[0, 0] > 0 and matrix[1, 1] > 0):
        raise InputError("camera_info has no focal length: calibrate the camera")
    matrix[:2, 2] -= info.roi.x_offset, info.roi.y_offset
    width, height = info.roi.width or info.width, info.roi.height or info.height
    if not (width and height):
        return matrix
    scale = np.array([size[1] / width, size[0] / height])
    matrix[:2] *= scale[:, None]
    matrix[:2, 2] += (scale - 1) / 2  # the centre of the first pixel is 0, not its corner
    return matrix


def locate(
    instance: Instance,
    depth: np.ndarray,
    camera_matrix: np.ndarray,
    *,
    size: tuple[int, int],
    min_share: float = 0.0,
) -> Location | None:
    """Return where `instance` is, or None if fewer than `min_share` of its pixels, or none, have a depth.

    The centroid is the median of each coordinate, so that background at the edge of the mask has no effect;
    the points are those without outliers in depth. `depth` is float32 (H, W) in metres, 0 or not finite
    where there is none; it may differ in size from the image and is sampled at the nearest pixel. `size` is
    (height, width) of the image and `camera_matrix` (3, 3) its matrix, without distortion.
    """
    pixels = np.argwhere(instance.mask)
    if len(pixels) > MAX_POINTS:
        pixels = pixels[np.linspace(0, len(pixels) - 1, MAX_POINTS).astype(int)]
    v, u = pixels[:, 0] + instance.roi.y, pixels[:, 1] + instance.roi.x
    z = depth[_nearest(v, size[0], depth.shape[0]), _nearest(u, size[1], depth.shape[1])].astype(np.float64)
    seen = np.isfinite(z) & (z > 0)
    if not seen.any() or seen.mean() < min_share:
        return None
    u, v, z = u[seen], v[seen], z[seen]
    x = (u - camera_matrix[0, 2]) / camera_matrix[0, 0] * z
    y = (v - camera_matrix[1, 2]) / camera_matrix[1, 1] * z
    points = np.stack([x, y, z], axis=1)
    return Location(np.median(points, axis=0), points[_is_inlier(z)])


def _is_inlier(z: np.ndarray) -> np.ndarray:
    """Return which depths, (N,), belong to the object rather than to what is behind or before it."""
    middle = np.median(z)
    difference = np.abs(z - middle)
    deviation = 1.4826 * np.median(difference)  # the standard deviation of normally distributed depths
    return difference <= max(OUTLIER_DEVIATIONS * deviation, OUTLIER_SHARE * middle)


def points_of(locations: Iterable[Location | None]) -> list[np.ndarray]:
    """Return the centroids, float64 (3,); NaN without a location."""
    return [np.full(3, np.nan) if each is None else each.centroid for each in locations]


def to_pose_array(points: Iterable[np.ndarray], header: Header) -> PoseArray:
    """Return points (3,) in the frame of `header` as poses without rotation."""
    message = PoseArray(header=header)
    for x, y, z in points:
        pose = Pose(position=Point(x=float(x), y=float(y), z=float(z)))  # w is 1 by default
        message.poses.append(pose)
    return message


def _nearest(index: np.ndarray, size: int, other_size: int) -> np.ndarray:
    """Map pixel indices along a side of length `size` to the nearest ones along `other_size`."""
    return (2 * index + 1) * other_size // (2 * size)
