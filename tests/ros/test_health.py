"""Warnings of a node about its surroundings: QoS mismatches, missing frames, wrong types, lost frames."""

import time
from itertools import count
from types import SimpleNamespace

import pytest
from rcl_interfaces.msg import Log
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dmmi.msg import Segmentation
from dmmi_ros.camera import Camera
from dmmi_ros.conversion.images import from_array
from dmmi_ros.diagnostics import Diagnostics, losses
from dmmi_ros.parameters import Parameters
from dmmi_ros.statistics import Statistics
from dmmi_ros.topics import images
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
    client.wait_for_report(incompatible_QoS="", message="no command", level=OK)


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
        "its DURABILITY does not fit; the subscription must be VOLATILE (for commands: command_durability), "
        "or the publisher TRANSIENT_LOCAL"
    )
    client.wait_for(lambda: said in node.log(), "warning")


def test_silence_while_a_command_holds_is_a_warning(node, client, scene):
    client.set_parameter("frame_timeout", 0.01)
    client.wait_for_report(state="active", command="")
    assert client.reports[-1]["message"] == "no command"  # nobody wants to know anything
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
    client.wait_for_report(message="no command")
    started = time.monotonic()
    while "no frame on" not in client.reports[-1]["message"]:
        assert time.monotonic() < started + TIMEOUT_S
        client.command(f"the red boxes {time.monotonic()}")  # at once, and so much more often than that


def test_warnings_of_the_model_reach_rosout_and_the_diagnostics(node, client, scene):
    logged = client.listen(Log, "/rosout")
    client.command("the red boxes at length")
    client.answer_to(client.send(scene.image))
    client.wait_for_report(last_warning="the text is too long")
    client.wait_for(lambda: any(each.msg == "the text is too long" for each in logged), "line in the log")
    (line,) = (each for each in logged if each.msg == "the text is too long")
    assert line.level == Log.WARN
    assert line.name == client.get_namespace().strip("/") + ".dmmi"


def test_many_frames_dropped_in_a_period_are_a_warning(start_node, scene):
    node = start_node(autostart=True, max_dropped_share=0.5)
    client = node.client
    client.wait_until_active()
    client.set_parameter("diagnostics_period", 60.0)  # one period for all frames below
    client.command("the red boxes, slowly")
    client.send(scene.image)
    with node.gate.held():
        for _ in range(4):
            client.send(scene.image)
        for number in count():
            client.command(f"the red boxes {number}")  # reports, though the period is not over
            if client.reports[-1]["frames received"] == "5":
                break
        client.set_parameter("diagnostics_period", 0.05)
        client.wait_for(lambda: client.reports[-1]["dropped share %"] != "0", "share")
    report = next(each for each in client.reports if each["dropped share %"] == "60")
    assert report["level"] == WARN
    assert report["message"].startswith("60% of the frames of the last period were dropped, as the model is")
    client.wait_for_report(message="active", level=OK)  # the period after had no drops


def test_shares_are_those_of_the_last_period():
    statistics = Statistics()
    statistics.received, statistics.lost, statistics.dropped = 6, 2, 3
    statistics.end_period()
    assert (statistics.lost_share, statistics.dropped_share) == (0.25, 0.5)
    statistics.received = 8
    statistics.end_period()
    assert (statistics.lost_share, statistics.dropped_share) == (0.0, 0.0)
    statistics.end_period()
    assert (statistics.lost_share, statistics.dropped_share) == (0.0, 0.0)
    statistics.lost, statistics.dropped = 4, 4  # nothing received
    statistics.end_period()
    assert (statistics.lost_share, statistics.dropped_share) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("lost", "dropped", "said"),
    [
        (0.1, 0.9, ""),
        (0.11, 0.0, "11% of the frames of the last period were lost in transport"),
        (0.0, 0.91, "91% of the frames of the last period were dropped"),
    ],
)
def test_shares_above_the_limits_are_a_warning(lost, dropped, said):
    warning = losses(Statistics(lost_share=lost, dropped_share=dropped), Parameters(), advice="do this")
    assert warning.startswith(said) and bool(warning) == bool(said)


def test_a_replay_that_has_ended_is_no_warning_for_ever(ros, scene, monkeypatch):
    node = LifecycleNode("watcher", namespace="/test_replay", enable_communication_interface=False)
    frames = []
    camera = Camera(node, "")
    camera.subscribe(Parameters(image_reliability="reliable"), on_frame=frames.append)
    publisher = node.create_publisher(Image, "image", 10)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not frames:
        publisher.publish(from_array(scene.image, header=Image().header))
        executor.spin_once(timeout_sec=0.1)
    node.destroy_publisher(publisher)
    while node.count_publishers("image"):
        executor.spin_once(timeout_sec=0.1)
    arrival = frames[-1].arrival

    def warning_after(seconds: float) -> str:
        monkeypatch.setattr(images.time, "monotonic", lambda: arrival + seconds)
        return camera.staleness(since=0.0, limit=5.0)

    assert warning_after(4.0) == ""
    assert warning_after(6.0) == warning_after(59.0)
    assert warning_after(59.0).startswith("nobody publishes /test_replay/image")
    assert warning_after(61.0) == ""
    monkeypatch.undo()
    node.destroy_node()


def test_the_same_warning_is_logged_once():
    logged = []
    logger = SimpleNamespace(warning=lambda text, **_: logged.append(text))
    node = SimpleNamespace(
        get_logger=lambda: logger,
        get_fully_qualified_name=lambda: "/dmmi",
        create_publisher=lambda *_: None,
    )
    log = Diagnostics(node).log_staleness
    for staleness in ("gone", "gone", "", "gone", "silent for 5 s", "silent for 6 s"):
        log(staleness)
    assert logged == ["gone", "gone", "silent for 5 s", "silent for 6 s"]


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
