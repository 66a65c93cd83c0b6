"""Messages published for a result; those without subscribers are not built."""

from collections.abc import Sequence

import pytest
from std_msgs.msg import Header

from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from dmmi_ros.topics import publishers as module
from dmmi_ros.topics.publishers import Publishers

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

    def resolve_topic_name(self, topic: str) -> str:
        return topic

    def create_lifecycle_publisher(self, _type, topic, _qos) -> Publisher:
        return self.publishers.setdefault(topic, Publisher())


@pytest.fixture
def publish(scene):
    """Publish the result for a text; return the number of messages by topic."""
    node = Node()
    publishers = Publishers(node, prefix="front/")

    def publish(text: str, *, listened_to: Sequence[str] = ()) -> dict[str, int]:
        for topic, publisher in node.publishers.items():
            publisher.listeners = int(topic.removeprefix("~/front/") in listened_to)
        publishers.publish(scene.image, ColourSegmenter()(scene.image, text), header=HEADER, command_id=1)
        published = {topic: len(publisher.published) for topic, publisher in node.publishers.items()}
        return {topic.removeprefix("~/front/"): count for topic, count in published.items() if count}

    return publish


def test_targets(publish):
    assert publish("the red boxes") == {"segmentation": 1}


def test_no_target(publish):
    assert publish("the blue box") == {"segmentation": 1, "no_target": 1}


@pytest.mark.parametrize(
    ("topic", "owner", "work"), [("overlay", module, "draw_overlay"), ("labels", MessageBuilder, "labels")]
)
def test_images_are_made_only_for_somebody(publish, monkeypatch, topic, owner, work):
    made, make = [], getattr(owner, work)
    monkeypatch.setattr(owner, work, lambda *what, **kind: made.append(what) or make(*what, **kind))
    publish("the red boxes")
    assert not made
    assert publish("the red boxes", listened_to=[topic])[topic] == 1
    assert len(made) == 1
