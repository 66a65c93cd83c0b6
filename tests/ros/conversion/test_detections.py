"""`Result` -> vision_msgs: the real ones if they are installed, else a stand-in with the same fields."""

from dataclasses import fields

import numpy as np
import pytest
from std_msgs.msg import Header

from dmmi_ros.conversion.depth import Location
from dmmi_ros.conversion.detections import DetectionBuilder, find_vision_messages
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from helpers.vision_messages import MESSAGES, STAND_INS

HEADER = Header(frame_id="camera")


@pytest.fixture
def result(scene):
    return ColourSegmenter()(scene.image, "the red boxes")


def location(x: float, y: float, z: float) -> Location:
    """Return a location with its centroid at (x, y, z) and points on the corners of a box of 2 x 4 x 6 m."""
    corners = np.array(np.meshgrid([9, 11], [18, 22], [27, 33])).reshape(3, -1).T
    return Location(np.array([x, y, z]), corners)


def test_boxes_in_the_image(result, scene):
    message = DetectionBuilder(MESSAGES).detections(result, header=HEADER)
    assert message.header == HEADER
    assert [detection.id for detection in message.detections] == ["1", "2"]
    for detection, mask in zip(message.detections, scene.masks["red"], strict=True):
        v, u = np.nonzero(mask)
        box = detection.bbox
        assert (box.center.position.x, box.center.position.y) == (
            (u.min() + u.max() + 1) / 2,
            (v.min() + v.max() + 1) / 2,
        )
        assert (box.size_x, box.size_y, box.center.theta) == (np.ptp(u) + 1, np.ptp(v) + 1, 0)
        (hypothesis,) = detection.results
        assert hypothesis.hypothesis.class_id == "the red boxes"
        assert hypothesis.hypothesis.score == pytest.approx(0.9)
        assert detection.header == HEADER


def test_no_target_is_an_empty_message(scene):
    message = DetectionBuilder(MESSAGES).detections(
        ColourSegmenter()(scene.image, "the blue box"), header=HEADER
    )
    assert (message.header, list(message.detections)) == (HEADER, [])


def test_boxes_in_space(result):
    message = DetectionBuilder(MESSAGES).detections_3d(result, [None, location(1, 2, 3)], header=HEADER)
    (detection,) = message.detections  # the first instance has no depth
    assert (message.header, detection.header, detection.id) == (HEADER, HEADER, "2")
    centre, size = detection.bbox.center, detection.bbox.size
    assert [centre.position.x, centre.position.y, centre.position.z] == pytest.approx([10, 20, 30])
    assert [size.x, size.y, size.z] == pytest.approx([2, 4, 6])
    assert centre.orientation.w == 1
    (hypothesis,) = detection.results
    place = hypothesis.pose.pose.position
    assert (place.x, place.y, place.z) == (1, 2, 3)
    assert hypothesis.hypothesis.class_id == "the red boxes"


@pytest.mark.skipif(find_vision_messages() is None, reason="vision_msgs is not installed")
@pytest.mark.parametrize("stand_in", STAND_INS)
def test_the_stand_in_has_the_fields_of_the_real_message(stand_in):
    real = getattr(find_vision_messages(), stand_in.__name__)
    assert list(real.get_fields_and_field_types()) == [each.name for each in fields(stand_in)]
