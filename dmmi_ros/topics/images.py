"""The image subscription of one camera, raw or compressed."""

import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.subscription import MessageInfo, Subscription
from sensor_msgs.msg import CompressedImage, Image

from dmmi_ros.statistics import Statistics
from dmmi_ros.topics.subscriptions import subscribe, unsubscribe


class ImageInput:
    """Subscribes to `topic`, to `<topic>/compressed`, or to both until the first image comes.

    `on_image` is called with every message and its time of arrival, in seconds of the monotonic clock.
    Images that are received or lost are counted in `statistics`.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        *,
        transport: str,
        reliability: str,
        statistics: Statistics,
        on_image: Callable[[Image | CompressedImage, float], None],
    ):
        self._node = node
        self._statistics = statistics
        self._on_image = on_image
        self._last_arrival = time.monotonic()
        self._sequence_number: int | None = None
        topics = {"raw": (Image, topic), "compressed": (CompressedImage, f"{topic}/compressed")}
        chosen = topics.values() if transport == "auto" else [topics[transport]]
        self._subscriptions = subscribe(
            node,
            [(type_, name, partial(self._receive, type_)) for type_, name in chosen],
            reliability=reliability,
        )

    def unsubscribe(self) -> None:
        """End the subscriptions."""
        unsubscribe(self._node, self._subscriptions)

    def staleness(self, *, since: float, limit: float) -> str:
        """Return a warning if no image came for more than `limit` seconds, else an empty string.

        The time is counted from `since` at the earliest. A `limit` of 0 means never.
        """
        seconds = time.monotonic() - max(since, self._last_arrival)
        if not limit or seconds <= limit:
            return ""
        if wrong_type := self._wrong_message_type():
            return wrong_type
        topics = " or ".join(subscription.topic_name for subscription in self._subscriptions)
        if not any(subscription.get_publisher_count() for subscription in self._subscriptions):
            return f"nobody publishes {topics}: start the camera, or remap image to its topic"
        return (
            f"no frame on {topics} for {seconds:.0f} s, though somebody publishes: does the camera run, does "
            "its QoS fit, has it the shipped FASTDDS_DEFAULT_PROFILES_FILE?"
        )

    def _wrong_message_type(self) -> str:
        """Return a warning about a publisher of another type, which DDS ignores silently."""
        for subscription in self._subscriptions:
            topic, expected = subscription.topic_name, f"sensor_msgs/msg/{subscription.msg_type.__name__}"
            for publisher in self._node.get_publishers_info_by_topic(topic):
                if publisher.topic_type != expected:
                    return (
                        f"{topic} is published as {publisher.topic_type}, not as {expected}: remap image to "
                        "the topic of raw images; compressed ones are looked for below it, on /compressed"
                    )
        return ""

    def _receive(self, type_: type, message: Image | CompressedImage, info: MessageInfo) -> None:
        own = [subscription for subscription in self._subscriptions if subscription.msg_type is type_]
        if not own:
            return  # received before its subscription was ended below
        self._keep(own)
        self._last_arrival = time.monotonic()
        self._statistics.lost += self._lost_before(
            info["publication_sequence_number"], own[0].get_publisher_count()
        )
        self._statistics.received += 1
        self._on_image(message, self._last_arrival)

    def _keep(self, chosen: list[Subscription]) -> None:
        """End the other subscriptions, or a camera that sends both transports is processed twice."""
        unsubscribe(self._node, [other for other in self._subscriptions if other not in chosen])
        self._subscriptions = chosen

    def _lost_before(self, number: int | None, publishers: int) -> int:
        """Return how many images were lost before image `number` of the publisher's own count.

        DDS does not report what its queues overwrite. With several publishers the numbers tell nothing.
        """
        before, self._sequence_number = self._sequence_number, number if publishers == 1 else None
        if before is None or self._sequence_number is None:
            return 0
        return max(0, self._sequence_number - before - 1)
