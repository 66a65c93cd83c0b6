"""What is published for an answer, and what is not worked out for nobody."""

import pytest
from scenes import ColourSegmenter
from std_msgs.msg import Header

from dmmi_ros import outputs
from dmmi_ros.outputs import Outputs

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
    """As much of a node as makes publishers."""

    def __init__(self):
        self.publishers = {}

    def resolve_topic_name(self, topic: str) -> str:
        return topic

    def create_lifecycle_publisher(self, _type, topic, _qos, *, event_callbacks) -> Publisher:
        return self.publishers.setdefault(topic, Publisher())


@pytest.fixture
def publish(scene):
    """Publishes the answer to a text; gives the number of messages by topic."""
    node = Node()
    outputs = Outputs(node, prefix="front/", report=print)

    def publish(text: str, *, overlay_listeners: int = 0) -> dict[str, int]:
        node.publishers["~/front/overlay"].listeners = overlay_listeners
        outputs.publish(scene.image, ColourSegmenter()(scene.image, text), header=HEADER, command_id=1)
        published = {topic: len(publisher.published) for topic, publisher in node.publishers.items()}
        return {topic.removeprefix("~/front/"): count for topic, count in published.items() if count}

    return publish


def test_targets(publish):
    assert publish("the red boxes") == {"segmentation": 1, "labels": 1}


def test_no_target(publish):
    assert publish("the blue box") == {"segmentation": 1, "no_target": 1, "labels": 1}


def test_the_overlay_is_drawn_only_for_somebody(publish, monkeypatch):
    drawn = []
    monkeypatch.setattr(outputs, "draw_overlay", lambda image, result: drawn.append(result) or image)
    publish("the red boxes")
    assert not drawn
    assert publish("the red boxes", overlay_listeners=1)["overlay"] == 1
    assert len(drawn) == 1
