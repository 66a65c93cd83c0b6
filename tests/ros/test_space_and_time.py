"""Tracking and 3D positions of instances, as a real node publishes them."""

import time

import numpy as np
import pytest
from geometry_msgs.msg import PoseArray, Quaternion, TransformStamped
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_ros.conversion.images import from_array
from helpers.client import RELIABLE
from helpers.encoding import message_of

pytestmark = pytest.mark.timeout(120)
WARN = "1"
FX, FY, CX, CY = 80.0, 100.0, 48.0, 30.0


def only_second(scene):
    """Return the scene without the first of its two red objects."""
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
    client.command("the red boxes\nthe green box")  # a request that is still there goes on
    header = client.send(only_second(scene))
    client.wait_for_report(frames_processed=4)
    assert ids(client.answer_to(header)) == [2]
    client.command("the green box")
    client.answer_to(client.send(scene.image))
    client.command("the red boxes")  # and one that comes back begins anew
    assert ids(client.answer_to(client.send(only_second(scene)))) == [1]


def test_tracking_begins_anew_when_it_is_switched_on(node, client, scene):
    client.command("the red boxes")
    for tracking, image in ((True, scene.image), (False, scene.image), (True, only_second(scene))):
        assert client.set_parameter("tracking", tracking).successful
        answer = client.answer_to(client.send(image))
    assert ids(answer) == [1]


def test_without_tracking_ids_count_from_one_in_each_frame(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    assert ids(client.answer_to(client.send(only_second(scene)))) == [1]


@pytest.fixture
def node_with_depth(start_node):
    return start_node(autostart=True, depth=True)


@pytest.fixture
def robot(node_with_depth):
    """Return the client, publishers of depth and calibration, and the list of poses."""
    client = node_with_depth.client
    return client, *connect(client, (PoseArray, "dmmi/poses"))


def connect(client, *topics) -> list:
    """Return publishers of depth and calibration, and the lists of messages of `topics`."""
    depth = client.create_publisher(Image, "depth", RELIABLE)
    info = client.create_publisher(CameraInfo, "camera_info", RELIABLE)
    client.wait_until_active()
    for publisher in (depth, info):
        client.wait_for(publisher.get_subscription_count, "its subscription")
    received = client.listen_to(*topics)
    client.wait_for(lambda: all(client.count_publishers(name) for _, name in topics), "publishers of results")
    client.command("the red boxes")
    return [depth, info, *received]


def calibration(scene) -> CameraInfo:
    height, width = scene.image.shape[:2]
    return CameraInfo(height=height, width=width, k=[FX, 0.0, CX, 0.0, FY, CY, 0.0, 0.0, 1.0])


def send_with_depth(client, depth, scene, millimetres, *, late_s: int = 0, frame_id: str = ""):
    """Publish the depth image and then the frame, with the same header."""
    header = client.next_header()
    header.frame_id = frame_id or header.frame_id
    message = from_array(millimetres, header=header)
    message.encoding = "16UC1"
    message.header.stamp.sec += late_s
    depth.publish(message)
    message.header.stamp.sec -= late_s
    client.images.publish(from_array(scene.image, header=header))
    return header


def without_depth(client) -> str:
    """Return the newest count of results without depth."""
    return client.reports[-1]["answers without depth"]


def poses_of(client, poses, header, *, before: str | None = None):
    """Wait for the poses of a frame; return None if the node counts one more result without depth.

    `before` is how many there were when the frame was sent; needed where something was waited for since.
    """
    before = before or without_depth(client)

    def found():
        return next((each for each in poses if each.header == header), None)

    client.wait_for(lambda: found() or without_depth(client) != before, "poses, or none")
    return found()


def test_poses_say_where_each_instance_is(robot, scene):
    client, depth, info, poses = robot
    info.publish(calibration(scene))
    millimetres = np.full(scene.image.shape[:2], 9000, np.uint16)
    first, second = scene.masks["red"]
    millimetres[first] = 2000
    millimetres[second] = 0  # no depth there
    found = None
    while not found:  # calibration comes by another topic and may come later than frames
        found = poses_of(client, poses, send_with_depth(client, depth, scene, millimetres))
    v, u = np.nonzero(first)
    expected = (np.median(u) - CX) / FX * 2.0, (np.median(v) - CY) / FY * 2.0, 2.0
    near, lost = (pose.position for pose in found.poses)
    assert (near.x, near.y, near.z) == pytest.approx(expected, abs=1e-6)
    assert np.isnan([lost.x, lost.y, lost.z]).all()


def test_without_depth_of_their_time_answers_come_without_poses(robot, scene):
    client, depth, info, poses = robot
    client.answer_to(client.send(scene.image))
    client.wait_for_report(answers_without_depth=1)
    info.publish(calibration(scene))
    send_with_depth(client, depth, scene, np.full(scene.image.shape[:2], 9000, np.uint16), late_s=100)
    client.wait_for_report(answers_without_depth=2, frames_processed=2, frames_failed=0)
    assert not poses


def test_depth_that_comes_after_its_frame_is_waited_for(robot, scene):
    client, depth, info, poses = robot
    assert client.set_parameter("depth_tolerance", 1000.0).successful  # of any frame, if none is nearer
    info.publish(calibration(scene))
    seen = None
    for millimetres in range(1000, 4000, 100):
        before, header = without_depth(client), client.send(scene.image)
        client.answer_to(header)  # which comes before the poses
        late = from_array(np.full(scene.image.shape[:2], millimetres, np.uint16), header=header)
        late.encoding = "16UC1"
        depth.publish(late)
        found = poses_of(client, poses, header, before=before)
        seen = found and found.poses[0].position.z
        if seen == pytest.approx(millimetres / 1000):
            return
    raise AssertionError(f"always the depth of another frame: {seen}")


def test_depth_in_metres_of_another_size_and_byte_order(robot, scene):
    client, depth, info, poses = robot
    info.publish(calibration(scene))
    metres = np.full((30, 50), 2.5, ">f4")
    found = None
    while not found:  # calibration comes by another topic and may come later than frames
        header = client.next_header()
        message = message_of(metres.view(">u4"), "32FC1", big_endian=True)
        message.header = header
        depth.publish(message)
        client.images.publish(from_array(scene.image, header=header))
        found = poses_of(client, poses, header)
    assert [pose.position.z for pose in found.poses] == [2.5, 2.5]


def test_depth_that_came_before_a_long_inference_is_still_there(robot, node_with_depth, scene):
    client, depth, info, poses = robot
    info.publish(calibration(scene))
    client.command("the red boxes, slowly")
    depth_image = np.full(scene.image.shape[:2], 2000, np.uint16)
    found = None
    while not found:  # depth comes by another topic and may come later than its frame
        before, header = without_depth(client), send_with_depth(client, depth, scene, depth_image)
        with node_with_depth.gate.held():
            for number in range(1, 31):  # three times as many as are kept
                newer = from_array(depth_image, header=Header())
                newer.encoding, newer.header.stamp.sec = "16UC1", 5000 + number
                depth.publish(newer)
                client.listen_until(time.monotonic() + 0.01)
        found = poses_of(client, poses, header, before=before)


@pytest.mark.parametrize(
    ("focal_length", "encoding", "said"),
    [(0.0, "16UC1", "camera_info has no focal length"), (FX, "mono8", "unsupported image encoding 'mono8'")],
)
def test_bad_depth_costs_the_poses_and_not_the_answers(robot, scene, focal_length, encoding, said):
    client, depth, info, poses = robot
    client.command("the red boxes\nthe green box")
    odd = calibration(scene)
    odd.k[0] = focal_length
    info.publish(odd)
    report = {"last error": ""}
    while said not in report["last error"]:  # depth and calibration come by other topics than frames
        header = client.next_header()
        message = from_array(np.zeros(scene.image.shape[:2], np.uint16), header=header)
        message.encoding = encoding
        depth.publish(message)
        client.images.publish(from_array(scene.image, header=header))
        assert poses_of(client, poses, header) is None
        report = client.reports[-1]
    assert report["frames failed"] == "0"
    client.wait_for(lambda: any(each["level"] == WARN for each in client.reports), "warning")
    client.wait_for(lambda: len(client.segmentations) % 2 == 0, "both answers")
    assert {m.command for m in client.segmentations[-2:]} == {"the red boxes", "the green box"}
    assert not poses


def test_boxes_and_poses_in_the_frame_of_the_robot(start_node, scene):
    """With the real vision_msgs and tf2; a robot sees x forward, y left and z up."""
    vision, tf2_ros = pytest.importorskip("vision_msgs.msg"), pytest.importorskip("tf2_ros")
    client = start_node(autostart=True, depth=True, target_frame="base_link").client
    depth, info, poses, boxes, flat_boxes = connect(
        client,
        (PoseArray, "dmmi/poses"),
        (vision.Detection3DArray, "dmmi/detections_3d"),
        (vision.Detection2DArray, "dmmi/detections"),
    )
    broadcaster = tf2_ros.StaticTransformBroadcaster(client)
    transform = TransformStamped(header=Header(frame_id="base_link"), child_frame_id="camera")
    transform.transform.translation.z = 1.0
    transform.transform.rotation = Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5)
    broadcaster.sendTransform(transform)
    info.publish(calibration(scene))
    millimetres = np.full(scene.image.shape[:2], 2000, np.uint16)
    while not boxes:  # calibration and transforms come by other topics and may come later than frames
        header, before = (
            send_with_depth(client, depth, scene, millimetres, frame_id="camera"),
            without_depth(client),
        )
        client.wait_for(lambda before=before: boxes or without_depth(client) != before, "boxes, or none")
    client.wait_for(lambda: poses and flat_boxes, "poses and flat boxes")
    header.frame_id = "base_link"
    assert boxes[-1].header == poses[-1].header == header
    v, u = np.nonzero(scene.masks["red"][0])
    seen = boxes[-1].detections[0]
    centre, size = seen.bbox.center.position, seen.bbox.size
    across, up = (u - CX) / FX * 2, (v - CY) / FY * 2
    assert centre.x == pytest.approx(2.0)
    assert centre.y == pytest.approx(-(across.min() + across.max()) / 2, abs=0.03)
    assert centre.z == pytest.approx(1 - (up.min() + up.max()) / 2, abs=0.03)
    assert (size.x, size.y, size.z) == pytest.approx((0, np.ptp(across), np.ptp(up)), abs=0.05)
    position = poses[-1].poses[0].position
    assert (position.x, position.y, position.z) == pytest.approx((2, -np.median(across), 1 - np.median(up)))
    assert [each.id for each in flat_boxes[-1].detections] == ["1", "2"]
    assert flat_boxes[-1].header.frame_id == "camera"
