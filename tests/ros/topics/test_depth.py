"""The choice of the depth image for a frame, and the wait for it."""

import threading
from array import array
from types import SimpleNamespace

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_ros.conversion.depth import REP_118
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from dmmi_ros.topics import depth as depth_input
from dmmi_ros.topics.depth import DepthInput

pytestmark = pytest.mark.timeout(60)
MILLISECOND = 10**6
FOREVER_S = 1e3


class Node:
    """As much of a node as DepthInput needs; `callbacks` are by topic."""

    def __init__(self):
        self.callbacks = {}
        self.warnings = []

    def get_logger(self):
        return SimpleNamespace(warning=self.warnings.append)

    def resolve_topic_name(self, topic: str) -> str:
        return f"/{topic}"

    def create_subscription(self, _type, topic, callback, _qos):
        self.callbacks[topic] = callback
        return SimpleNamespace(topic_name=topic)

    def destroy_subscription(self, subscription) -> None:
        del self.callbacks[subscription.topic_name]


@pytest.fixture
def node(monkeypatch):
    # So that what waits too long is stopped by the time limit of the test.
    monkeypatch.setattr(depth_input, "MAX_WAIT_S", FOREVER_S)
    return Node()


@pytest.fixture
def depth(node, scene):
    depth = DepthInput(node, prefix="", reliability="reliable")
    height, width = scene.image.shape[:2]
    node.callbacks["camera_info"](CameraInfo(height=height, width=width, k=[1.0, 0, 0, 0, 1, 0, 0, 0, 1]))
    return depth


def header(nanoseconds: int, frame_id: str = "") -> Header:
    message = Header(frame_id=frame_id)
    message.stamp.sec, message.stamp.nanosec = divmod(nanoseconds, 10**9)
    return message


def send(node: Node, nanoseconds: int, *, metres: int) -> None:
    pixels = np.full((4, 4), 1000 * metres, "<u2")
    data = array("B", pixels.tobytes())
    node.callbacks["depth"](
        Image(header=header(nanoseconds), encoding="16UC1", height=4, width=4, step=8, data=data)
    )


def metres(depth: DepthInput, scene, nanoseconds: int, *, text="the green box", tolerance=0.05, wait=False):
    """Return the distance of each object of a frame; `wait` allows to wait for the depth image."""
    result = ColourSegmenter()(scene.image, text)
    arrival = depth_input.time.monotonic() - (0 if wait else FOREVER_S)
    (locations,) = depth.locate(
        [result], header(nanoseconds), tolerance=tolerance, arrival=arrival, options=REP_118
    )
    return [round(location.centroid[2], 3) for location in locations]


def while_waiting(monkeypatch, depth: DepthInput, happens) -> None:
    """Call `happens` in another thread as soon as the wait has begun."""
    wait_for = depth._changed.wait_for

    def begin(*arguments, **named):
        threading.Thread(target=happens).start()  # it needs the lock, which the wait lets go
        return wait_for(*arguments, **named)

    monkeypatch.setattr(depth._changed, "wait_for", begin)


def test_the_nearest_of_those_that_came(node, depth, scene):
    for number in range(5):
        send(node, number * 33 * MILLISECOND, metres=number + 1)
    assert metres(depth, scene, 66 * MILLISECOND) == [3.0]
    assert metres(depth, scene, 90 * MILLISECOND) == [4.0]
    assert metres(depth, scene, 150 * MILLISECOND) == [5.0]


def test_one_that_comes_after_its_frame_is_waited_for(node, depth, scene, monkeypatch):
    send(node, 0, metres=1)
    while_waiting(monkeypatch, depth, lambda: send(node, 33 * MILLISECOND, metres=2))
    assert metres(depth, scene, 33 * MILLISECOND, tolerance=FOREVER_S, wait=True) == [2.0]


@pytest.mark.parametrize("offset", [0, -MILLISECOND, 20 * MILLISECOND])
def test_nothing_is_waited_for_once_it_has_come(node, depth, scene, offset):
    send(node, 33 * MILLISECOND + offset, metres=2)
    assert metres(depth, scene, 33 * MILLISECOND, tolerance=FOREVER_S, wait=True) == [2.0]


def test_nothing_is_waited_for_where_nothing_was_found(depth, scene):
    assert metres(depth, scene, 0, text="the blue box", tolerance=FOREVER_S, wait=True) == []


@pytest.mark.parametrize("end", ["stop_waiting", "unsubscribe"])
def test_other_work_and_the_end_cut_the_wait_short(node, depth, scene, monkeypatch, end):
    send(node, 0, metres=1)
    while_waiting(monkeypatch, depth, getattr(depth, end))
    assert metres(depth, scene, 33 * MILLISECOND, tolerance=FOREVER_S, wait=True) == [1.0]


def test_a_frame_that_came_during_the_inference_is_other_work(node, depth, scene):
    depth.snapshot()
    depth.stop_waiting()
    send(node, 0, metres=1)
    assert metres(depth, scene, 33 * MILLISECOND, tolerance=FOREVER_S, wait=True) == [1.0]


def test_what_was_held_outlasts_newer_ones(node, depth, scene):
    send(node, 0, metres=1)
    depth.snapshot()
    for number in range(1, 31):
        send(node, number * 10**9, metres=9)
    assert metres(depth, scene, 0) == [1.0]


def test_a_time_that_jumps_back_begins_anew(node, depth, scene):
    send(node, 10**12, metres=1)
    send(node, 0, metres=2)
    with pytest.raises(InputError, match=r"no depth image within 0\.05 s of a frame"):
        metres(depth, scene, 10**12)
    assert metres(depth, scene, 0) == [2.0]


def test_without_depth_or_calibration_it_is_said(node, scene):
    depth = DepthInput(node, prefix="", reliability="reliable")
    with pytest.raises(InputError, match="no depth image within"):
        metres(depth, scene, 0)
    send(node, 0, metres=1)
    with pytest.raises(InputError, match="no camera_info yet"):
        metres(depth, scene, 0)


@pytest.mark.parametrize(
    ("of_image", "of_depth", "warns"),
    [("color", "color", False), ("color", "depth", True), ("", "depth", False), ("color", "", False)],
)
def test_depth_of_another_frame_is_said_once(node, depth, scene, of_image, of_depth, warns):
    pixels = np.full((4, 4), 1000, "<u2")
    message = Image(header=header(0, of_depth), encoding="16UC1", height=4, width=4, step=8)
    message.data = array("B", pixels.tobytes())
    node.callbacks["depth"](message)
    result = ColourSegmenter()(scene.image, "the green box")
    for _ in range(2):
        depth.locate([result], header(0, of_image), tolerance=1.0, arrival=0.0, options=REP_118)
    assert len(node.warnings) == int(warns)
    if warns:
        assert node.warnings[0].startswith("depth is in the frame 'depth', the images are in 'color': ")
        assert "registered" in node.warnings[0]


def test_no_subscription_is_left_where_one_cannot_be(node):
    create = node.create_subscription

    def fail(type_, *arguments, **named):
        if type_ is CameraInfo:
            raise ValueError("too long")
        return create(type_, *arguments, **named)

    node.create_subscription = fail
    with pytest.raises(ValueError, match="too long"):
        DepthInput(node, prefix="", reliability="reliable")
    assert not node.callbacks
