"""Positions of instances by hand: a pinhole camera with focal lengths 100 and 200 and centre (20, 10)."""

from array import array

import numpy as np
import pytest
from geometry_msgs.msg import Quaternion
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_core.result import Instance, Roi
from dmmi_ros.conversion.depth import camera_matrix, depth_in_metres, locate, to_pose_array

MATRIX = np.array([[100.0, 0, 20], [0, 200, 10], [0, 0, 1]])
SIZE = (30, 40)


def instance(x: int, y: int, width: int, height: int) -> Instance:
    return Instance(1, 0.9, width * height, Roi(x, y, width, height), np.ones((height, width), bool))


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
    np.testing.assert_allclose(metres, [[0, 0.001, 1.5], [65.535, 0.256, 0.002]], rtol=1e-6)
    values = np.array([[0.25, np.nan, np.inf], [-np.inf, 3.5, 1e-3]], np.float32)
    np.testing.assert_array_equal(depth_in_metres(depth_message(values, "32FC1", **layout)), values)


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
    point = locate(instance(30, 16, 5, 3), depth, MATRIX, size=SIZE)
    np.testing.assert_allclose(point, [(32 - 20) / 100 * 2, (17 - 10) / 200 * 2, 2])


def test_left_above_the_axis_is_negative():
    point = locate(instance(0, 0, 1, 1), np.full(SIZE, 3.0, np.float32), MATRIX, size=SIZE)
    np.testing.assert_allclose(point, [-0.6, -0.15, 3])


def test_only_the_mask_counts():
    depth = np.full(SIZE, 9.0, np.float32)
    depth[5, 7] = 1.0
    single = Instance(1, 0.9, 1, Roi(6, 4, 3, 3), np.eye(3, dtype=bool) & (np.arange(3) == 1))
    np.testing.assert_allclose(locate(single, depth, MATRIX, size=SIZE), [-0.13, -0.025, 1])


@pytest.mark.parametrize("hole", [0.0, np.nan, np.inf, -np.inf, -1.0])
def test_what_has_no_depth_has_no_say(hole):
    depth = np.full(SIZE, hole, np.float32)
    depth[12, 10:13] = 1.0, 2.0, 1.5
    region = instance(8, 11, 7, 3)
    # x of the three points: -0.1, -0.18, -0.12
    np.testing.assert_allclose(locate(region, depth, MATRIX, size=SIZE), [-0.12, 0.015, 1.5])
    assert locate(region, np.full(SIZE, hole, np.float32), MATRIX, size=SIZE) is None


def test_background_within_the_mask_does_not_pull():
    depth = np.full(SIZE, 1.0, np.float32)
    depth[16, 30:34] = 50.0  # 4 of 15
    assert locate(instance(30, 16, 5, 3), depth, MATRIX, size=SIZE)[2] == 1.0


@pytest.mark.parametrize("factor", [2, 3, 0.5])
def test_depth_of_another_size(factor):
    """The left half of both images is at 1 m, the right half at 4 m."""
    height, width = (int(side * factor) for side in SIZE)
    depth = np.full((height, width), 1.0, np.float32)
    depth[:, width // 2 :] = 4.0
    assert locate(instance(18, 4, 2, 5), depth, MATRIX, size=SIZE)[2] == 1.0
    np.testing.assert_allclose(locate(instance(20, 4, 1, 1), depth, MATRIX, size=SIZE), [0, -0.12, 4])
    assert locate(instance(39, 29, 1, 1), depth, MATRIX, size=SIZE)[2] == 4.0  # the last pixel


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
