"""Several cameras in one node."""

import time

import pytest
from sensor_msgs.msg import Image

from dmmi.msg import NoTarget, Segmentation
from dmmi_ros.conversion.images import from_array
from helpers.client import RELIABLE
from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)


class CameraClient:
    """The client of one camera of a node."""

    def __init__(self, client, name: str):
        self._client = client
        self.images = client.create_publisher(Image, f"{name}/image", RELIABLE)
        self.segmentations, self.no_targets, self.labels = client.listen_to(
            (Segmentation, f"dmmi/{name}/segmentation"),
            (NoTarget, f"dmmi/{name}/no_target"),
            (Image, f"dmmi/{name}/labels"),
        )

    def send(self, pixels):
        message = from_array(pixels, header=self._client.next_header())
        self.images.publish(message)
        return message.header

    def send_broken(self) -> None:
        self.images.publish(Image(encoding="rgb8", height=2, width=2, step=6))

    def answer_to(self, header) -> Segmentation:
        def find():
            return next((answer for answer in self.segmentations if answer.header == header), None)

        self._client.wait_for(find, f"answer to {header.frame_id}")
        return find()


@pytest.fixture
def robot(start_node):
    """Return the node, its client and the clients of its two cameras."""
    node = start_node(cameras="[front, left]", autostart=True)
    client = node.client
    front, left = CameraClient(client, "front"), CameraClient(client, "left")
    for camera in (front, left):
        client.wait_for(camera.images.get_subscription_count, "image subscription")
    topics = [
        f"dmmi/{name}/{topic}"
        for name in ("front", "left")
        for topic in ("segmentation", "no_target", "labels")
    ]
    client.wait_for(lambda: all(map(client.count_publishers, topics)), "publishers of results")
    return node, client, front, left


def test_each_camera_has_answers_of_its_own(robot, scene):
    _, client, front, left = robot
    client.command("the red boxes")
    header = front.send(scene.image)
    assert_finds(front.answer_to(header), scene.masks["red"])
    mirrored = scene.image[:, ::-1].copy()
    header = left.send(mirrored)
    answer = left.answer_to(header)
    assert answer.width == mirrored.shape[1] and answer.status == Segmentation.MANY
    assert answer.instances[0].roi.x_offset != front.segmentations[0].instances[0].roi.x_offset
    left.answer_to(left.send(scene.image))
    client.wait_for_report(camera="front", frames_received=1, frames_processed=1)
    client.wait_for_report(camera="left", frames_received=2, frames_processed=2)
    assert (len(front.segmentations), len(left.segmentations)) == (1, 2)
    assert not client.segmentations  # of a single camera


def test_frames_that_wait_together_are_answered_in_one_batch(robot, scene):
    node, client, front, left = robot
    client.command("the red boxes, slowly")
    first = front.send(scene.image)
    with node.gate.held():
        replaced, newest = front.send(scene.image), front.send(scene.image)
        other = left.send(scene.image)
        client.wait_for_report(camera="front", frames_received=3, frames_dropped=1, frames_under_way=2)
        client.wait_for_report(camera="left", frames_received=1, frames_under_way=1)
    front.answer_to(first)
    with node.gate.held():
        pass
    for answer in (front.answer_to(newest), left.answer_to(other)):  # both passed the gate at once
        assert_finds(answer, scene.masks["red"])
    client.wait_for_report(camera="front", frames_processed=2, frames_dropped=1, frames_under_way=0)
    assert replaced not in [answer.header for answer in front.segmentations]


def test_a_bad_image_of_one_camera_costs_the_other_nothing(robot, scene):
    node, client, front, left = robot
    client.command("the blue box, slowly")
    first = front.send(scene.image)
    with node.gate.held():
        front.send_broken()
        other = left.send(scene.image)
        client.wait_for_report(camera="front", frames_received=2)
        client.wait_for_report(camera="left", frames_received=1)
    front.answer_to(first)
    with node.gate.held():
        pass
    assert left.answer_to(other).status == Segmentation.NO_TARGET
    client.wait_for(lambda: left.no_targets, "message on no_target")
    report = client.wait_for_report(camera="front", frames_processed=1, frames_failed=1)
    assert "image has 0 bytes" in report["last error"]
    client.wait_for_report(camera="left", frames_processed=1, frames_failed=0, last_error="")


def test_cameras_are_chosen_anew_with_each_configuration(robot, scene):
    _, client, front, _ = robot
    result = client.set_parameter("cameras", ["back"])
    assert result.reason == "cameras is read when the node is configured: clean it up first, then set it"
    assert client.change_state("deactivate") and client.change_state("cleanup")
    assert client.set_parameter("cameras", ["back"]).successful
    assert client.change_state("configure") and client.change_state("activate")
    back = CameraClient(client, "back")
    client.wait_for(back.images.get_subscription_count, "image subscription")
    client.command("the red boxes")
    assert_finds(back.answer_to(back.send(scene.image)), scene.masks["red"])
    client.wait_for(lambda: not client.count_publishers("dmmi/front/segmentation"), "end of the old topics")
    assert not front.images.get_subscription_count()


NO_ROS_NAME = "in cameras is no ROS name: use up to 64 letters, digits and _, a letter first"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["front", "a b"], f"'a b' {NO_ROS_NAME}"),
        (["1st"], f"'1st' {NO_ROS_NAME}"),
        (["front/left"], f"'front/left' {NO_ROS_NAME}"),
        (["front", ""], f"'' {NO_ROS_NAME}"),
        (["x" * 65], f"'{'x' * 40}' {NO_ROS_NAME}"),
        (["front", "left", "front"], "cameras names one twice: front, left, front"),
    ],
)
def test_bad_names_are_refused(node, client, names, reason):
    assert client.change_state("deactivate") and client.change_state("cleanup")
    result = client.set_parameter("cameras", names)
    assert (result.successful, result.reason) == (False, reason)


def test_an_empty_list_means_a_single_camera(start_node, scene):
    client = start_node(cameras="[]", autostart=True).client
    client.wait_until_active()
    client.command("the red boxes")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])


def test_warnings_are_throttled_for_each_camera_alone(robot):
    node, client, front, left = robot
    client.command("the red boxes")
    for _ in range(20):
        front.send_broken()
        left.send_broken()
        client.listen_until(time.monotonic() + 0.02)
    for name in ("front", "left"):
        report = client.wait_for_report(camera=name, frames_received=20, frames_under_way=0)
        said = f"{client.get_namespace()}/{name}/image: a frame has no answer: "
        assert 1 <= node.log().count(said) < int(report["frames failed"])
