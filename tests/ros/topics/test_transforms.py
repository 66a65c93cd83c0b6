"""Locations in the frame of the robot, with a stand-in for tf2 and, if it is installed, with tf2 itself."""

import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from rclpy.time import Time
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_ros.conversion.depth import Location
from dmmi_ros.topics import transforms as module
from dmmi_ros.topics.transforms import Transforms, rotation_and_translation

HALF = 0.5
OPTICAL = Quaternion(x=-HALF, y=HALF, z=-HALF, w=HALF)
"""The rotation of an optical frame (z forward) in that of a robot (x forward), as in REP 103."""
HEADER = Header(frame_id="camera")
THERE = Location(np.array([0.5, 0.25, 3.0]), np.array([[0.5, 0.25, 3.0], [0, 0, 2]]))


class LookupError_(Exception):
    pass


def stamped(rotation: Quaternion = OPTICAL) -> TransformStamped:
    message = TransformStamped(header=Header(frame_id="base_link"), child_frame_id="camera")
    message.transform.rotation, message.transform.translation = rotation, Vector3(x=0.1, y=0.0, z=1.0)
    return message


@pytest.fixture
def tf2(monkeypatch):
    """A stand-in for tf2_ros; `known` are the transforms, `missing` how many look-ups fail before."""
    tf2 = SimpleNamespace(TransformException=LookupError_, known={}, missing=0, closed=0, asked=[])

    class Buffer:
        def lookup_transform(self, target, source, time):
            tf2.asked.append((target, source, time))
            tf2.missing -= 1
            if tf2.missing >= 0 or source not in tf2.known:
                raise LookupError_(f"no {source}\nhere")
            return tf2.known[source]

    class TransformListener:
        def __init__(self, buffer, node):
            pass

        def unregister(self) -> None:
            tf2.closed += 1

    tf2.Buffer, tf2.TransformListener = Buffer, TransformListener
    monkeypatch.setitem(sys.modules, "tf2_ros", tf2)
    return tf2


def test_rotation_and_translation():
    rotation, translation = rotation_and_translation(stamped())
    np.testing.assert_allclose(rotation, [[0, 0, 1], [-1, 0, 0], [0, -1, 0]], atol=1e-12)
    np.testing.assert_allclose(translation, [0.1, 0, 1])
    turned, _ = rotation_and_translation(stamped(Quaternion(z=np.sin(0.3), w=np.cos(0.3))))
    expected = [[np.cos(0.6), -np.sin(0.6), 0], [np.sin(0.6), np.cos(0.6), 0], [0, 0, 1]]
    np.testing.assert_allclose(turned, expected, atol=1e-12)


@pytest.mark.parametrize("missing", [0, 3])
def test_locations_are_moved(tf2, missing):
    tf2.known["camera"], tf2.missing = stamped(), missing
    transforms = Transforms(None, "base_link")
    header = Header(frame_id="camera")
    header.stamp.sec = 7
    moved, ((there, nowhere), nothing) = transforms.move([[THERE, None], []], header)
    assert (moved.frame_id, moved.stamp) == ("base_link", header.stamp)
    assert (nowhere, nothing) == (None, [])
    np.testing.assert_allclose(there.centroid, [3.1, -0.5, 0.75], atol=1e-9)
    np.testing.assert_allclose(there.points, [[3.1, -0.5, 0.75], [2.1, 0, 1]], atol=1e-9)
    assert [(*frames, time.nanoseconds) for *frames, time in tf2.asked] == [
        ("base_link", "camera", 7 * 10**9)
    ] * (missing + 1)
    transforms.close()
    assert tf2.closed == 1


@pytest.mark.parametrize("located", [[], [[]], [[None]]])
def test_nothing_is_asked_for_where_nothing_is(tf2, located):
    header, moved = Transforms(None, "base_link").move(located, HEADER)
    assert (header.frame_id, moved) == ("base_link", located)
    assert not tf2.asked


@pytest.mark.parametrize(
    ("frame_id", "said"),
    [
        ("camera", "no transform from 'camera' to 'base_link': no camera"),
        ("", "the images have no frame_id, which target_frame needs"),
    ],
)
def test_a_missing_transform_is_one_clear_line(tf2, monkeypatch, frame_id, said):
    monkeypatch.setattr(module, "MAX_WAIT_S", 0.0)
    with pytest.raises(InputError) as raised:
        Transforms(None, "base_link").move([[THERE]], Header(frame_id=frame_id))
    assert str(raised.value).startswith(said) and "\n" not in str(raised.value)


def test_without_tf2_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    with pytest.raises(InputError, match=r"^target_frame needs tf2_ros, which cannot be imported"):
        Transforms(None, "base_link")


@pytest.mark.skipif(find_spec("tf2_ros") is not None, reason="tf2_ros is installed")
def test_a_node_without_tf2_says_so_at_configure(start_node):
    client = start_node(target_frame="base_link").client
    assert not client.change_state("configure")
    client.wait_for(
        lambda: (
            client.reports
            and client.reports[-1]["message"].startswith("cannot configure: target_frame needs tf2_ros")
        ),
        "reason",
    )


@pytest.mark.skipif(find_spec("tf2_ros") is None, reason="tf2_ros is not installed")
def test_tf2_itself(ros):
    import rclpy
    from tf2_ros import StaticTransformBroadcaster

    node = rclpy.create_node("transforms")
    transforms = Transforms(node, "base_link")
    broadcaster = StaticTransformBroadcaster(node)
    broadcaster.sendTransform(stamped())
    while not transforms._buffer.can_transform("base_link", "camera", Time()):
        rclpy.spin_once(node, timeout_sec=0.1)
    _, ((there,),) = transforms.move([[THERE]], HEADER)
    np.testing.assert_allclose(there.centroid, [3.1, -0.5, 0.75], atol=1e-9)
    transforms.close()
    node.destroy_node()
