"""Messages published for a result; those without subscribers are not built."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from std_msgs.msg import Header

from dmmi_ros.conversion.depth import Location
from dmmi_ros.conversion.detections import DetectionBuilder
from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from dmmi_ros.topics import publishers as module
from dmmi_ros.topics.publishers import Publishers
from helpers.vision_messages import MESSAGES

HEADER = Header(frame_id="camera")


class Publisher:
    def __init__(self):
        self.published = []
        self.listeners = 0

    def publish(self, message) -> None:
        self.published.append(message)

    def get_subscription_count(self) -> int:
        return self.listeners


class Node:
    """As much of a node as Publishers needs."""

    def __init__(self):
        self.publishers = {}
        self.said = []

    def resolve_topic_name(self, topic: str) -> str:
        return topic

    def get_logger(self):
        return SimpleNamespace(info=lambda text, once: self.said.append(text))

    def destroy_lifecycle_publisher(self, publisher: Publisher) -> None:
        self.publishers = {topic: each for topic, each in self.publishers.items() if each is not publisher}

    def create_lifecycle_publisher(self, _type, topic, _qos) -> Publisher:
        return self.publishers.setdefault(topic, Publisher())


@pytest.fixture
def publish(scene, monkeypatch):
    """Publish the result for a text; return the number of messages by topic."""
    monkeypatch.setattr(module, "find_vision_messages", lambda: MESSAGES)
    node = Node()
    publishers = Publishers(node, prefix="front/")

    def publish(text: str, *, listened_to: Sequence[str] = ()) -> dict[str, int]:
        for topic, publisher in node.publishers.items():
            publisher.listeners = int(topic.removeprefix("~/front/") in listened_to)
        result = ColourSegmenter()(scene.image, text)
        publishers.publish(scene.image, [text], [result], header=HEADER, command_id=1)
        published = {topic: len(publisher.published) for topic, publisher in node.publishers.items()}
        return {topic.removeprefix("~/front/"): count for topic, count in published.items() if count}

    return publish


def test_targets(publish):
    assert publish("the red boxes") == {"segmentation": 1}


def test_no_target(publish):
    assert publish("the blue box") == {"segmentation": 1, "no_target": 1}


@pytest.mark.parametrize(
    ("topic", "owner", "work"),
    [
        ("overlay", module, "draw_overlay"),
        ("labels", MessageBuilder, "labels"),
        ("detections", DetectionBuilder, "detections"),
        ("segmentations", module, "SegmentationArray"),
    ],
)
def test_what_is_made_only_for_somebody(publish, monkeypatch, topic, owner, work):
    made, make = [], getattr(owner, work)
    monkeypatch.setattr(owner, work, lambda *what, **kind: made.append(what) or make(*what, **kind))
    publish("the red boxes")
    assert not made
    assert publish("the red boxes", listened_to=[topic])[topic] == 1
    assert len(made) == 1


@pytest.mark.parametrize("topic", ["poses", "detections_3d"])
def test_locations_are_published_only_for_somebody(scene, monkeypatch, topic):
    monkeypatch.setattr(module, "find_vision_messages", lambda: MESSAGES)
    node = Node()
    publishers = Publishers(node, prefix="")
    assert not publishers.has_location_listener
    node.publishers[f"~/{topic}"].listeners = 1
    assert publishers.has_location_listener
    result = ColourSegmenter()(scene.image, "the red boxes")
    there = Location(np.array([1.0, 2, 3]), np.array([[1.0, 2, 3]]))
    publishers.publish_locations(result, [there, None], header=HEADER)
    published = {name: publisher.published for name, publisher in node.publishers.items()}
    (message,) = published.pop(f"~/{topic}")
    assert not any(published.values())
    if topic == "poses":
        assert [pose.position.x for pose in message.poses] == pytest.approx([1, np.nan], nan_ok=True)
    else:
        assert [detection.id for detection in message.detections] == ["1"]


def test_without_vision_msgs_it_is_said_and_the_rest_goes_on(scene, monkeypatch):
    monkeypatch.setattr(module, "find_vision_messages", lambda: None)
    node = Node()
    publishers = Publishers(node, prefix="")
    assert len(node.said) == 1 and node.said[0].startswith("vision_msgs is not installed")
    assert not {"~/detections", "~/detections_3d"} & node.publishers.keys()
    result = ColourSegmenter()(scene.image, "the red boxes")
    publishers.publish(scene.image, ["the red boxes"], [result], header=HEADER, command_id=1)
    assert len(node.publishers["~/segmentation"].published) == 1
    publishers.destroy()
    assert not node.publishers
