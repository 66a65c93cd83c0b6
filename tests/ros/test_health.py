"""Warnings of a node about its surroundings: QoS mismatches, missing frames, wrong types, lost frames."""

import time

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dmmi.msg import Segmentation
from dmmi_ros.camera import Camera
from dmmi_ros.conversion.images import from_array
from dmmi_ros.parameters import Parameters
from helpers.client import RELIABLE, TIMEOUT_S

pytestmark = pytest.mark.timeout(120)
OK, WARN = "0", "1"
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def test_a_camera_whose_qos_does_not_fit(start_node):
    node = start_node(autostart=True)  # whose subscription is reliable
    client = node.client
    topic = f"{client.get_namespace()}/image"
    client.create_publisher(Image, "image", BEST_EFFORT)
    said = (
        f"nothing is received from a publisher of {topic}: its RELIABILITY does not fit; "
        "let it publish RELIABLE, or for images set image_reliability to best_effort"
    )
    client.wait_for_report(incompatible_QoS=said, message=said, level=WARN)
    assert said in node.log() and "[WARN]" in node.log()


def test_a_mismatch_is_reported_as_long_as_it_lasts(start_node):
    """DDS reports a mismatch once only, possibly long before the node is configured."""
    client = start_node().client
    mismatch = client.create_publisher(String, "command", BEST_EFFORT)
    said = f"nothing is received from a publisher of {client.get_namespace()}/command: its RELIABILITY"
    for transition, state in (("configure", "inactive"), ("activate", "active")):
        assert client.change_state(transition)
        client.wait_for(
            lambda state=state: any(
                r["state"] == state and r["message"].startswith(said) for r in client.reports
            ),
            f"{state} node that tells of it",
        )
    client.destroy_publisher(mismatch)
    client.wait_for_report(incompatible_QoS="", message="active", level=OK)


def test_the_same_mismatch_is_not_logged_again_and_again(start_node):
    node = start_node()
    client = node.client
    client.wait_for_report(incompatible_QoS="")
    for number in range(1, 6):
        mismatch = client.create_publisher(String, "command", BEST_EFFORT)
        client.wait_for(lambda: "RELIABILITY" in client.reports[-1]["incompatible QoS"], f"mismatch {number}")
        client.destroy_publisher(mismatch)
        client.wait_for_report(incompatible_QoS="")
    assert 1 <= node.log().count("nothing is received from a publisher") < 5


def test_a_commander_whose_qos_does_not_fit(start_node):
    node = start_node()
    client = node.client
    client.create_publisher(String, "command", BEST_EFFORT)
    topic = f"{client.get_namespace()}/command"
    client.wait_for(
        lambda: f"nothing is received from a publisher of {topic}: its RELIABILITY" in node.log(), "warning"
    )


def test_a_listener_whose_qos_does_not_fit(start_node):
    node = start_node()
    client = node.client
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    client.create_subscription(Segmentation, "dmmi/segmentation", print, latched)
    said = (
        f"nothing is sent to a subscription of {client.get_namespace()}/dmmi/segmentation: "
        "its DURABILITY does not fit; let it subscribe with VOLATILE durability"
    )
    client.wait_for(lambda: said in node.log(), "warning")


def test_silence_while_a_command_holds_is_a_warning(node, client, scene):
    client.set_parameter("frame_timeout", 0.01)
    client.wait_for_report(state="active", command="")
    assert client.reports[-1]["message"] == "active"  # nobody wants to know anything
    client.command("the red boxes")
    topic = f"{client.get_namespace()}/image"
    client.wait_for(lambda: client.reports[-1]["message"].startswith("no frame on"), "warning")
    report = client.reports[-1]
    assert f"no frame on {topic} or {topic}/compressed for " in report["message"]
    assert report["level"] == WARN
    assert report["message"][:20] in node.log()
    client.set_parameter("frame_timeout", 1000.0)
    client.answer_to(client.send(scene.image))
    client.wait_for_report(message="active", frames_processed=1)


def test_a_camera_that_nobody_publishes_is_a_warning(start_node):
    node = start_node(autostart=True, cameras="[front]", frame_timeout=0.01)
    client = node.client
    client.wait_for_report(state="active")
    client.command("the red boxes")
    topic = f"{client.get_namespace()}/front/image"
    said = f"nobody publishes {topic} or {topic}/compressed: start the camera, or remap image to its topic"
    client.wait_for(lambda: client.reports[-1]["message"].startswith(said), "warning")
    assert "; there are images on " in client.reports[-1]["message"]  # those of the client itself
    assert said in node.log()


def test_a_camera_with_another_transport_is_named(start_node):
    client = start_node(autostart=True, cameras="[front]", frame_timeout=0.01, image_transport="raw").client
    client.create_publisher(CompressedImage, "front/image/compressed", RELIABLE)
    client.wait_for_report(state="active")
    client.command("the red boxes")
    topic = f"{client.get_namespace()}/front/image"
    instead = f"{topic}/compressed is published instead: set image_transport to auto"
    client.wait_for_report(message=f"nobody publishes {topic}: {instead}")


def test_images_of_another_type_are_a_warning(start_node):
    """A common mistake is to remap `image` to the topic of compressed images, which DDS ignores silently."""
    client = start_node(autostart=True, frame_timeout=0.01, remap={"image": "camera/compressed"}).client
    client.create_publisher(CompressedImage, "camera/compressed", RELIABLE)
    client.wait_for_report(state="active")
    client.command("the red boxes")
    topic = f"{client.get_namespace()}/camera/compressed"
    said = (
        f"{topic} is published as sensor_msgs/msg/CompressedImage, not as sensor_msgs/msg/Image: remap image "
        "to the topic of raw images; compressed ones are looked for below it, on /compressed"
    )
    client.wait_for_report(message=said, level=WARN)


def test_silence_is_noticed_while_commands_are_repeated(node, client):
    client.set_parameter("frame_timeout", 0.5)
    client.wait_for_report(message="active")
    started = time.monotonic()
    while "no frame on" not in client.reports[-1]["message"]:
        assert time.monotonic() < started + TIMEOUT_S
        client.command(f"the red boxes {time.monotonic()}")  # at once, and so much more often than that


def test_frames_overwritten_in_the_queue_are_counted_as_lost(ros, scene):
    """DDS does not report these frames."""
    node = LifecycleNode("receiver", namespace="/test_losses", enable_communication_interface=False)
    sender = LifecycleNode("sender", namespace="/test_losses", enable_communication_interface=False)
    frames = []
    camera = Camera(node, "")
    publisher = sender.create_publisher(Image, "image", QoSProfile(depth=100))
    settings = Parameters(image_reliability="reliable", image_transport="raw")
    camera.subscribe(settings, on_frame=frames.append)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def send(count: int) -> None:
        for number in range(count):
            message = from_array(scene.image, header=Image().header)
            message.header.frame_id = str(number)
            publisher.publish(message)
        before = len(frames)
        while not (len(frames) > before and frames[-1].message.header.frame_id == str(count - 1)):
            executor.spin_once(timeout_sec=1.0)

    while not publisher.get_subscription_count() or not node.count_publishers("image"):
        executor.spin_once(timeout_sec=0.1)
    send(1)
    send(2)
    assert camera.statistics.lost == 0
    send(30)
    assert camera.statistics.received == len(frames) < 33
    assert camera.statistics.lost == 33 - camera.statistics.received
    for each in (node, sender):
        each.destroy_node()
