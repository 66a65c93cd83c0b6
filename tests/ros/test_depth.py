"""Positions of instances by hand: a pinhole camera with focal lengths 100 and 200 and centre (20, 10)."""

from array import array

import numpy as np
import pytest
from geometry_msgs.msg import Quaternion
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_core.result import Instance, Roi
from dmmi_ros.conversion.depth import (
    DepthOptions,
    Location,
    camera_matrix,
    depth_in_metres,
    locate,
    to_pose_array,
)

MATRIX = np.array([[100.0, 0, 20], [0, 200, 10], [0, 0, 1]])
SIZE = (30, 40)


def instance(x: int, y: int, width: int, height: int) -> Instance:
    return Instance(1, 0.9, width * height, Roi(x, y, width, height), np.ones((height, width), bool))


def centroid(*arguments, **options) -> np.ndarray | None:
    location = locate(*arguments, **options)
    return location and location.centroid


def depth_message(values: np.ndarray, encoding: str, *, padding: int = 0, big_endian: bool = False) -> Image:
    values = values.astype(values.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.frombuffer(values.tobytes(), np.uint8).reshape(len(values), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    message = Image(encoding=encoding, height=len(values), width=values.shape[1], step=rows.shape[1])
    message.is_bigendian, message.data = int(big_endian), array("B", rows.tobytes())
    return message


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 6])
def test_depth_images(padding, big_endian):
    layout = {"padding": padding, "big_endian": big_endian}
    millimetres = np.array([[0, 1, 1500], [65535, 256, 2]], np.uint16)
    metres = depth_in_metres(depth_message(millimetres, "16UC1", **layout))
    assert metres.dtype == np.float32
    np.testing.assert_allclose(metres, [[np.nan, 0.001, 1.5], [65.535, 0.256, 0.002]], rtol=1e-6)
    values = np.array([[0.25, np.nan, np.inf], [-np.inf, 3.5, 1e-3]], np.float32)
    usable = np.where(np.isfinite(values), values, np.nan)
    np.testing.assert_array_equal(depth_in_metres(depth_message(values, "32FC1", **layout)), usable)


@pytest.mark.parametrize(("encoding", "type_"), [("16UC1", np.uint16), ("32FC1", np.float32)])
def test_units_and_range_of_depth(encoding, type_):
    values = np.array([[2, 5, 10, 20, 40]], type_)
    options = DepthOptions(units=0.1, nearest=0.5, farthest=2.0)
    metres = depth_in_metres(depth_message(values, encoding), options)
    np.testing.assert_allclose(metres, [[np.nan, 0.5, 1, 2, np.nan]], rtol=1e-6)


@pytest.mark.parametrize("encoding", ["mono16", "rgb8", "32FC2", ""])
def test_other_encodings(encoding):
    with pytest.raises(InputError, match=f"unsupported image encoding '{encoding}'; supported: 16UC1, 32FC1"):
        depth_in_metres(depth_message(np.zeros((2, 3), np.uint16), encoding))


def test_truncated():
    message = depth_message(np.zeros((2, 3), np.float32), "32FC1")
    message.data = message.data[:-1]
    with pytest.raises(InputError, match="image has 23 bytes, not step x height = 24"):
        depth_in_metres(message)


def test_point():
    depth = np.full(SIZE, 2.0, np.float32)
    # Columns 30 to 34 have the middle 32, rows 16 to 18 the middle 17.
    point = centroid(instance(30, 16, 5, 3), depth, MATRIX, size=SIZE)
    np.testing.assert_allclose(point, [(32 - 20) / 100 * 2, (17 - 10) / 200 * 2, 2])


def test_left_above_the_axis_is_negative():
    point = centroid(instance(0, 0, 1, 1), np.full(SIZE, 3.0, np.float32), MATRIX, size=SIZE)
    np.testing.assert_allclose(point, [-0.6, -0.15, 3])


def test_only_the_mask_counts():
    depth = np.full(SIZE, 9.0, np.float32)
    depth[5, 7] = 1.0
    single = Instance(1, 0.9, 1, Roi(6, 4, 3, 3), np.eye(3, dtype=bool) & (np.arange(3) == 1))
    np.testing.assert_allclose(centroid(single, depth, MATRIX, size=SIZE), [-0.13, -0.025, 1])


@pytest.mark.parametrize("hole", [0.0, np.nan, np.inf, -np.inf, -1.0])
def test_what_has_no_depth_has_no_say(hole):
    depth = np.full(SIZE, hole, np.float32)
    depth[12, 10:13] = 1.0, 2.0, 1.5
    region = instance(8, 11, 7, 3)
    # x of the three points: -0.1, -0.18, -0.12
    np.testing.assert_allclose(centroid(region, depth, MATRIX, size=SIZE), [-0.12, 0.015, 1.5])
    assert centroid(region, np.full(SIZE, hole, np.float32), MATRIX, size=SIZE) is None


def test_too_few_pixels_with_depth():
    depth = np.full(SIZE, np.nan, np.float32)
    depth[16, 30:33] = 1.0  # 3 of 15
    region = instance(30, 16, 5, 3)
    assert locate(region, depth, MATRIX, size=SIZE, min_share=0.2) is not None
    assert locate(region, depth, MATRIX, size=SIZE, min_share=0.21) is None


def test_box_of_a_flat_object():
    depth = np.full(SIZE, 2.0, np.float32)
    # Columns 10 to 29 span 0.38 m at 2 m with a focal length of 100, rows 5 to 14 0.09 m with 200.
    centre, size = locate(instance(10, 5, 20, 10), depth, MATRIX, size=SIZE).box()
    np.testing.assert_allclose(centre, [-0.01, -0.005, 2.0], atol=1e-9)
    np.testing.assert_allclose(size, [0.38, 0.09, 0.0], atol=0.005)


@pytest.mark.parametrize("other", [0.0, np.nan, 0.4, 5.0, 50.0])
def test_holes_background_and_noise_do_not_change_the_box(other):
    """A slope from 1.9 to 2.1 m with every fourth pixel at another depth, or without."""
    depth = np.tile(np.linspace(1.9, 2.1, SIZE[0], dtype=np.float32)[:, None], (1, SIZE[1]))
    region = instance(2, 2, 36, 26)
    centre, size = locate(region, depth, MATRIX, size=SIZE).box()
    depth[::2, ::2] = other
    spoilt_centre, spoilt_size = locate(region, depth, MATRIX, size=SIZE).box()
    np.testing.assert_allclose(spoilt_centre, centre, atol=0.02)
    np.testing.assert_allclose(spoilt_size, size, atol=0.03)
    assert size[2] == pytest.approx(0.2 * 25 / 29, abs=0.01)


def test_a_deep_object_is_not_cut():
    depth = np.tile(np.linspace(1.0, 4.0, SIZE[0], dtype=np.float32)[:, None], (1, SIZE[1]))
    location = locate(instance(0, 0, SIZE[1], SIZE[0]), depth, MATRIX, size=SIZE)
    assert location.box()[1][2] == pytest.approx(3.0, abs=0.15)


def test_large_instances_are_sampled():
    size = (600, 800)
    location = locate(instance(0, 0, 800, 600), np.full(size, 2.0, np.float32), MATRIX, size=size)
    assert len(location.points) <= 10_000
    np.testing.assert_allclose(
        location.centroid, [(399.5 - 20) / 100 * 2, (299.5 - 10) / 200 * 2, 2], atol=0.02
    )


def test_moved_to_another_frame():
    """From the optical frame to that of a robot: x forward, y left, z up, with the camera 1 m above."""
    rotation = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    points = np.array([[0.0, 0, 2], [0.5, 0.25, 3]])
    moved = Location(points.mean(axis=0), points).moved(rotation, np.array([0, 0, 1]))
    np.testing.assert_allclose(moved.points, [[2, 0, 1], [3, -0.5, 0.75]])
    np.testing.assert_allclose(moved.centroid, [2.5, -0.25, 0.875])
    centre, size = moved.box()
    np.testing.assert_allclose(centre, moved.centroid)
    np.testing.assert_allclose(size, [0.98, 0.49, 0.245])


def test_background_within_the_mask_does_not_pull():
    depth = np.full(SIZE, 1.0, np.float32)
    depth[16, 30:34] = 50.0  # 4 of 15
    assert centroid(instance(30, 16, 5, 3), depth, MATRIX, size=SIZE)[2] == 1.0


@pytest.mark.parametrize("factor", [2, 3, 0.5])
def test_depth_of_another_size(factor):
    """The left half of both images is at 1 m, the right half at 4 m."""
    height, width = (int(side * factor) for side in SIZE)
    depth = np.full((height, width), 1.0, np.float32)
    depth[:, width // 2 :] = 4.0
    assert centroid(instance(18, 4, 2, 5), depth, MATRIX, size=SIZE)[2] == 1.0
    np.testing.assert_allclose(centroid(instance(20, 4, 1, 1), depth, MATRIX, size=SIZE), [0, -0.12, 4])
    assert centroid(instance(39, 29, 1, 1), depth, MATRIX, size=SIZE)[2] == 4.0  # the last pixel


def test_camera_matrix():
    info = CameraInfo(width=40, height=30, k=MATRIX.reshape(-1))
    np.testing.assert_array_equal(camera_matrix(info, SIZE), MATRIX)
    # Of twice the size: pixel 20 becomes 40 and 41, whose middle is 40.5.
    doubled = [[200, 0, 40.5], [0, 400, 20.5], [0, 0, 1]]
    np.testing.assert_allclose(camera_matrix(info, (60, 80)), doubled)


def test_the_matrix_of_the_rectified_image_comes_first():
    projection = [90.0, 0, 21, -5, 0, 180, 11, 0, 0, 0, 1, 0]  # of the right camera of a pair
    info = CameraInfo(width=40, height=30, k=MATRIX.reshape(-1), d=[0.1] * 5, p=projection)
    np.testing.assert_array_equal(camera_matrix(info, SIZE), [[90, 0, 21], [0, 180, 11], [0, 0, 1]])


@pytest.mark.parametrize("binning", [1, 2])
def test_an_image_of_a_region_of_interest(binning):
    info = CameraInfo(width=1920, height=1080, k=[1000.0, 0, 960, 0, 1000, 540, 0, 0, 1])
    info.roi = RegionOfInterest(x_offset=640, y_offset=300, width=640, height=480)
    matrix = camera_matrix(info, (480 // binning, 640 // binning))
    at_full_size = np.array([[1000, 0, 320], [0, 1000, 240]])
    shift = (1 / binning - 1) / 2  # of the centre of the first pixel
    np.testing.assert_allclose(matrix[:2], at_full_size / binning + [[0, 0, shift]] * 2)


def test_uncalibrated_camera():
    with pytest.raises(InputError, match="no focal length"):
        camera_matrix(CameraInfo(width=40, height=30), SIZE)


def test_pose_array():
    header = Header(frame_id="camera_optical_frame")
    message = to_pose_array([np.array([0.5, -1, 2]), np.array([0, 0, 3])], header)
    assert message.header == header
    positions = [(pose.position.x, pose.position.y, pose.position.z) for pose in message.poses]
    assert positions == [(0.5, -1, 2), (0, 0, 3)]
    assert all(pose.orientation == Quaternion(x=0.0, y=0.0, z=0.0, w=1.0) for pose in message.poses)
