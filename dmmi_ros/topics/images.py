"""The images of one camera, by whichever transport they come."""

import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.subscription import MessageInfo
from sensor_msgs.msg import CompressedImage, Image

from dmmi_ros.topics.subscriptions import subscribe, unsubscribe


class ImageInput:
    """Subscribes to `topic`, or to `/compressed` below it, or to both until the first image comes.

    `take` gets every image, when it came, in seconds of the monotonic clock, and how many before it were
    lost; `report` a line where a publisher's QoS does not fit.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        *,
        transport: str,
        reliability: str,
        take: Callable[[Image | CompressedImage, float, int], None],
        report: Callable[[str], None],
    ):
        self._node = node
        self._take = take
        self._heard_at = time.monotonic()
        self._sequence_number: int | None = None
        topics = {"raw": (Image, topic), "compressed": (CompressedImage, f"{topic}/compressed")}
        chosen = topics.values() if transport == "auto" else [topics[transport]]
        self._subscriptions = subscribe(
            node,
            [(type_, name, partial(self._on_image, type_)) for type_, name in chosen],
            reliability=reliability,
            report=report,
        )

    def unsubscribe(self) -> None:
        unsubscribe(self._node, self._subscriptions)

    def silence(self, *, since: float, limit: float) -> str:
        """What to say where no image came for `limit` seconds, counted from `since` at the earliest.

        Empty where one did, and where `limit` is 0.
        """
        seconds = time.monotonic() - max(since, self._heard_at)
        if not limit or seconds <= limit:
            return ""
        if stranger := self._stranger():
            return stranger
        topics = " or ".join(subscription.topic_name for subscription in self._subscriptions)
        if not any(subscription.get_publisher_count() for subscription in self._subscriptions):
            return f"nobody publishes {topics}: start the camera, or remap image to its topic"
        return (
            f"no frame on {topics} for {seconds:.0f} s, though somebody publishes: does the camera run, does "
            "its QoS fit, has it the shipped FASTDDS_DEFAULT_PROFILES_FILE?"
        )

    def _stranger(self) -> str:
        """What to say of a publisher of another type, which DDS passes over in silence; empty without one."""
        for subscription in self._subscriptions:
            topic, expected = subscription.topic_name, f"sensor_msgs/msg/{subscription.msg_type.__name__}"
            for publisher in self._node.get_publishers_info_by_topic(topic):
                if publisher.topic_type != expected:
                    return (
                        f"{topic} is published as {publisher.topic_type}, not as {expected}: remap image to "
                        "the topic of raw images; compressed ones are looked for below it, on /compressed"
                    )
        return ""

    def _on_image(self, type_: type, message: Image | CompressedImage, info: MessageInfo) -> None:
        own = [subscription for subscription in self._subscriptions if subscription.msg_type is type_]
        if not own:
            return  # it came before its subscription was ended below
        others = [subscription for subscription in self._subscriptions if subscription.msg_type is not type_]
        unsubscribe(self._node, others)  # or a camera that sends both is answered twice
        self._subscriptions = own
        self._heard_at = time.monotonic()
        lost = self._count_lost(info["publication_sequence_number"], own[0].get_publisher_count())
        self._take(message, self._heard_at, lost)

    def _count_lost(self, number: int | None, publishers: int) -> int:
        """By the publisher's own count: DDS says nothing of what its queues overwrite."""
        before, self._sequence_number = self._sequence_number, number if publishers == 1 else None
        if before is None or self._sequence_number is None:
            return 0
        return max(0, self._sequence_number - before - 1)
