"""Instances over frames, and in space, as a real node publishes them."""

import numpy as np
import pytest
from client import RELIABLE
from geometry_msgs.msg import PoseArray
from sensor_msgs.msg import CameraInfo, Image

from dmmi_ros.images import from_array

pytestmark = pytest.mark.timeout(120)
FX, FY, CX, CY = 80.0, 100.0, 48.0, 30.0


def only_second(scene):
    """The scene without the first of its two red objects."""
    image = scene.image.copy()
    image[scene.masks["red"][0]] = 0
    return image


def ids(answer) -> list[int]:
    return [instance.id for instance in answer.instances]


def test_ids_last_while_a_command_holds(node, client, scene):
    assert client.set_parameter("tracking", True).successful
    client.command("the red boxes")
    assert ids(client.answer_to(client.send(scene.image))) == [1, 2]
    header = client.send(only_second(scene))
    assert ids(client.answer_to(header)) == [2]
    assert set(client.labels_of(header).data) == {0, 2}
    assert ids(client.answer_to(client.send(scene.image))) == [1, 2]
    client.command("the red boxes")
    header = client.send(only_second(scene))
    client.wait_for_report(frames_processed=4)
    assert ids(client.answer_to(header)) == [1]  # a new command counts anew


def test_without_tracking_ids_count_from_one_in_each_frame(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    assert ids(client.answer_to(client.send(only_second(scene)))) == [1]


@pytest.fixture
def robot(start_node):
    """The client of a node with depth; publishers of depth and of calibration; the poses heard."""
    client = start_node(autostart=True, depth=True).client
    depth = client.create_publisher(Image, "depth", RELIABLE)
    info = client.create_publisher(CameraInfo, "camera_info", RELIABLE)
    client.wait_until_active()
    for publisher in (depth, info):
        client.wait_for(publisher.get_subscription_count, "its subscription")
    poses = client.listen(PoseArray, "dmmi/poses")
    client.wait_for(lambda: client.count_publishers("dmmi/poses"), "publisher of poses")
    client.command("the red boxes")
    return client, depth, info, poses


def calibration(scene) -> CameraInfo:
    height, width = scene.image.shape[:2]
    return CameraInfo(height=height, width=width, k=[FX, 0.0, CX, 0.0, FY, CY, 0.0, 0.0, 1.0])


def send_with_depth(client, depth, scene, millimetres, *, late_s: int = 0):
    """Publishes the depth image and then, under the same header, the frame."""
    header = client.next_header()
    message = from_array(millimetres, header=header)
    message.encoding = "16UC1"
    message.header.stamp.sec += late_s
    depth.publish(message)
    message.header.stamp.sec -= late_s
    client.images.publish(from_array(scene.image, header=header))
    return header


def test_poses_say_where_each_instance_is(robot, scene):
    client, depth, info, poses = robot
    info.publish(calibration(scene))
    millimetres = np.full(scene.image.shape[:2], 9000, np.uint16)
    first, second = scene.masks["red"]
    millimetres[first] = 2000
    millimetres[second] = 0  # no depth there
    while not poses:  # depth comes by another topic and may come later than its frame
        header = send_with_depth(client, depth, scene, millimetres)
        client.answer_to(header)
        client.wait_for_report(frames_under_way=0)
    v, u = np.nonzero(first)
    expected = (np.median(u) - CX) / FX * 2.0, (np.median(v) - CY) / FY * 2.0, 2.0
    found, lost = poses[0].poses
    assert (found.position.x, found.position.y, found.position.z) == pytest.approx(expected, abs=1e-6)
    assert np.isnan([lost.position.x, lost.position.y, lost.position.z]).all()
    assert poses[0].header in [message.header for message in client.segmentations]


def test_without_depth_of_their_time_answers_come_without_poses(robot, scene):
    client, depth, info, poses = robot
    client.answer_to(client.send(scene.image))
    client.wait_for_report(answers_without_depth=1)
    info.publish(calibration(scene))
    send_with_depth(client, depth, scene, np.full(scene.image.shape[:2], 9000, np.uint16), late_s=100)
    client.wait_for_report(answers_without_depth=2, frames_processed=2, frames_failed=0)
    assert not poses
