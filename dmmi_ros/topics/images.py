"""The image subscription of one camera, raw or compressed."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.subscription import MessageInfo, Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

from dmmi_ros.statistics import Statistics
from dmmi_ros.topics.qos import loss_advice
from dmmi_ros.topics.subscriptions import subscribe, unsubscribe

FOLLOW_PERIOD_S = 1.0
GONE_S = 60.0
"""Seconds for which the end of all publishers is a warning: a replay that is over needs none for ever."""
NAMED_TOPICS = 5
"""How many other image topics a warning names."""


class ImageInput:
    """Subscribes to `topic`, to `<topic>/compressed`, or to both until the first image comes.

    With the transport "auto", it subscribes to both again when nobody publishes the chosen one any more.
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
        self._reliability = reliability
        self._statistics = statistics
        self._on_image = on_image
        self._last_arrival = time.monotonic()
        self._has_received = False
        self._sequence_number: int | None = None
        self._frame_bytes = 0
        """Size of the newest frame; 0 before the first."""
        self._topics: dict[type, str] = {Image: topic, CompressedImage: f"{topic}/compressed"}
        pinned = {"raw": [Image], "compressed": [CompressedImage]}
        self._types = pinned.get(transport, [*self._topics])
        """The message types that may come."""
        self._subscriptions = self._subscribe(self._types)
        self._timer: Timer | None = None
        if len(self._types) > 1:
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = node.create_timer(FOLLOW_PERIOD_S, self._follow_camera, clock=steady)

    def unsubscribe(self) -> None:
        """End the subscriptions."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
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
            if self._has_received and seconds > max(limit, GONE_S) and not self._is_published():
                return ""
            return f"nobody publishes {topics}: {self._what_is_published()}"
        return (
            f"no frame on {topics} for {seconds:.0f} s, though somebody publishes: does the camera run, does "
            f"its QoS fit? If not all of its frames are missing: {loss_advice(self._frame_bytes)}"
        )

    def loss_advice(self) -> str:
        """Return what to do about lost frames of the present size."""
        return loss_advice(self._frame_bytes)

    def _is_published(self) -> bool:
        return any(map(self._node.count_publishers, self._topics.values()))

    def _what_is_published(self) -> str:
        """Return what to do when nobody publishes the topic, with the images that are published instead."""
        for type_ in self._topics.keys() - set(self._types):
            if self._node.count_publishers(self._topics[type_]):
                return f"{self._topics[type_]} is published instead: set image_transport to auto"
        advice = "start the camera, or remap image to its topic"
        if others := self._other_image_topics():
            advice += f"; there are images on {', '.join(others[:NAMED_TOPICS])}"
        return advice

    def _other_image_topics(self) -> list[str]:
        """Return the topics on which other nodes publish images."""
        types = {f"sensor_msgs/msg/{type_.__name__}" for type_ in self._topics}
        own = f"{self._node.get_fully_qualified_name()}/"
        return [
            topic
            for topic, found in self._node.get_topic_names_and_types()
            if types & set(found) and not topic.startswith(own) and self._node.count_publishers(topic)
        ]

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
        self._has_received = True
        self._last_arrival = time.monotonic()
        self._frame_bytes = len(message.data)
        self._statistics.lost += self._lost_before(
            info["publication_sequence_number"], own[0].get_publisher_count()
        )
        self._statistics.received += 1
        self._on_image(message, self._last_arrival)

    def _subscribe(self, types: Iterable[type]) -> list[Subscription]:
        return subscribe(
            self._node,
            [(type_, self._topics[type_], partial(self._receive, type_)) for type_ in types],
            reliability=self._reliability,
        )

    def _keep(self, chosen: list[Subscription]) -> None:
        """End the other subscriptions, or a camera that sends both transports is processed twice."""
        unsubscribe(self._node, [other for other in self._subscriptions if other not in chosen])
        self._subscriptions = chosen

    def _follow_camera(self) -> None:
        """Subscribe to the other transport again if the camera is gone: it may come back with that one."""
        left_out = set(self._types) - {subscription.msg_type for subscription in self._subscriptions}
        if left_out and not any(each.get_publisher_count() for each in self._subscriptions):
            self._subscriptions += self._subscribe(left_out)
            self._sequence_number = None  # another publisher has numbers of its own

    def _lost_before(self, number: int | None, publishers: int) -> int:
        """Return how many images were lost before image `number` of the publisher's own count.

        DDS does not report what its queues overwrite. With several publishers the numbers tell nothing.
        """
        before, self._sequence_number = self._sequence_number, number if publishers == 1 else None
        if before is None or self._sequence_number is None:
            return 0
        return max(0, self._sequence_number - before - 1)
