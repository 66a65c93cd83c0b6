"""`Result` -> messages."""

import subprocess
import sys

import numpy as np
import pytest
from std_msgs.msg import Header

from dmmi.msg import Segmentation
from dmmi_core.result import Instance, Result, Roi, Status
from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from helpers.expectations import assert_finds

HEADER = Header(frame_id="camera")
MESSAGES = MessageBuilder.for_rclpy()


def test_every_field_of_an_answer(scene):
    result = ColourSegmenter()(scene.image, "the red boxes")
    message = MESSAGES.segmentation(result, header=HEADER, command_id=7)
    assert_finds(message, scene.masks["red"])
    assert (message.header, message.command_id, message.command) == (HEADER, 7, "the red boxes")
    assert (message.presence, message.presence_threshold) == pytest.approx((0.6, 0.5))
    assert message.grouping == "colour"
    assert [instance.score for instance in message.instances] == pytest.approx([0.9, 0.9])


def test_no_target(scene):
    result = ColourSegmenter()(scene.image, "the blue box")
    message = MESSAGES.segmentation(result, header=HEADER, command_id=1)
    assert message.status == Segmentation.NO_TARGET
    assert not message.instances
    assert (message.height, message.width) == scene.image.shape[:2]
    statement = MESSAGES.no_target(result, header=HEADER, command_id=1)
    assert (statement.header, statement.command_id, statement.command) == (HEADER, 1, "the blue box")
    assert (statement.presence, statement.presence_threshold) == pytest.approx((0.2, 0.5))


@pytest.mark.parametrize(("count", "encoding", "dtype"), [(255, "mono8", "u1"), (256, "mono16", "u2")])
def test_labels_hold_any_number_of_instances(count, encoding, dtype):
    instances = tuple(
        Instance(number, 1.0, 1, Roi(number - 1, 2, 1, 1), np.ones((1, 1), bool))
        for number in range(1, count + 1)
    )
    mask = np.zeros((5, 300), bool)
    mask[2, :count] = True
    labels = MESSAGES.labels(Result("dots", Status.MANY, 1.0, 0.5, mask, instances, "none"), header=HEADER)
    assert labels.encoding == encoding
    expected = np.zeros((5, 300), dtype)
    expected[2, :count] = np.arange(1, count + 1)
    np.testing.assert_array_equal(np.frombuffer(labels.data, dtype).reshape(5, 300), expected)


def test_statuses_are_those_of_the_message():
    assert {status.name: int(status) for status in Status} == {
        name: getattr(Segmentation, name) for name in ("NO_TARGET", "ONE", "MANY")
    }


def test_nothing_on_the_way_to_a_message_imports_torch():
    check = "import sys, dmmi_ros.node; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], timeout=60).returncode == 0
