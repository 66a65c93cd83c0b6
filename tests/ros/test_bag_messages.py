"""The messages that `dmmi-bag` writes without ROS equal those that the node publishes."""

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi.msg import NoTarget, Segmentation
from dmmi_ros.bags.typestore import make_header, make_typestore, with_stamp
from dmmi_ros.conversion.messages import MessageBuilder, to_result
from dmmi_ros.testing.fake_segmenter import ColourSegmenter, make_scene

STORE = make_typestore()
WRITTEN, PUBLISHED = MessageBuilder.for_rosbags(STORE), MessageBuilder.for_rclpy()
STAMP = 12_000_000_034


def as_ros(message, type_):
    """Return a rosbags message as rclpy reads it from a bag."""
    return deserialize_message(bytes(STORE.serialize_cdr(message, message.__msgtype__)), type_)


def as_received(message):
    """Return a message after serialisation, with numbers in the precision of its fields."""
    return deserialize_message(serialize_message(message), type(message))


@pytest.fixture
def headers():
    """Return the same header for rosbags and for rclpy."""
    ros = Header(frame_id="camera")
    ros.stamp.sec, ros.stamp.nanosec = 12, 34
    return make_header(STORE, STAMP, "camera"), ros


@pytest.mark.parametrize("text", ["the red ones", "the green one", "the blue one"])
def test_messages_are_those_of_the_node(headers, text):
    bag_header, header = headers
    result = ColourSegmenter()(make_scene().image, text)
    written = WRITTEN.segmentation(result, header=bag_header, command_id=7)
    published = PUBLISHED.segmentation(result, header=header, command_id=7)
    assert as_ros(written, Segmentation) == as_received(published)
    written = WRITTEN.no_target(result, header=bag_header, command_id=7)
    assert as_ros(written, NoTarget) == as_received(PUBLISHED.no_target(result, header=header, command_id=7))
    assert as_ros(WRITTEN.labels(result, header=bag_header), Image) == PUBLISHED.labels(result, header=header)


def test_messages_back_to_results(headers):
    result = ColourSegmenter()(make_scene().image, "the red ones")
    back = to_result(PUBLISHED.segmentation(result, header=headers[1], command_id=7))
    np.testing.assert_array_equal(back.mask, result.mask)
    assert (back.text, back.status, back.grouping) == (result.text, result.status, result.grouping)
    assert back.presence == pytest.approx(result.presence)
    assert len(back.instances) == 2
    for ours, theirs in zip(back.instances, result.instances, strict=True):
        assert (ours.id, ours.area, ours.roi) == (theirs.id, theirs.area, theirs.roi)
        np.testing.assert_array_equal(ours.mask, theirs.mask)


@pytest.mark.parametrize("little_endian", [True, False])
def test_another_stamp(little_endian):
    """The stamp is written in the byte order of the message; nothing else changes."""
    type_ = STORE.types["sensor_msgs/msg/Image"]
    pixels = np.arange(6, dtype=np.uint8)
    image = type_(make_header(STORE, STAMP, "camera"), 1, 2, "rgb8", 0, 6, pixels)
    raw = STORE.serialize_cdr(image, type_.__msgtype__, little_endian=little_endian)
    ros = deserialize_message(with_stamp(bytes(raw), 3 * 10**9 + 7), Image)
    assert (ros.header.stamp.sec, ros.header.stamp.nanosec) == (3, 7)
    assert (ros.header.frame_id, ros.width, ros.encoding, list(ros.data)) == (
        "camera",
        2,
        "rgb8",
        [*range(6)],
    )
