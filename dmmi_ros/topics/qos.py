"""Quality of service: the profiles in use, and what to say where another end does not fit them."""

import time
from collections.abc import Callable, Iterator
from itertools import product

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
    qos_policy_name_from_kind,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

# Volatile, so that it matches a latched publisher and an ordinary one alike.
COMMAND_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
OUTPUT_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
# Room for what comes while another callback runs; what is stale is dropped, and counted, after it.
IMAGE_DEPTH = 5
WARNING_PERIOD_S = 10.0

_UNRELIABLE = (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE)
_NOT_LATCHED = (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL)
_REMEDIES = {
    "RELIABILITY": "let it publish RELIABLE, or for images set image_reliability to best_effort",
    "DURABILITY": "let it subscribe with VOLATILE durability",
}


def image_qos(reliability: str) -> QoSProfile:
    """For images of all kinds; `reliability` is "best_effort" or "reliable"."""
    return QoSProfile(depth=IMAGE_DEPTH, reliability=ReliabilityPolicy[reliability.upper()])


def subscription_events(topic: str, report: Callable[[str], None]) -> SubscriptionEventCallbacks:
    """`report` gets a line for every publisher whose messages cannot be received, as it appears."""

    def on_incompatible(event) -> None:
        report(_unheard(topic, qos_policy_name_from_kind(event.last_policy_kind)))

    return SubscriptionEventCallbacks(incompatible_qos=on_incompatible)


def publisher_events(topic: str, report: Callable[[str], None]) -> PublisherEventCallbacks:
    """`report` gets a line for every subscription that will receive nothing, as it appears."""

    def on_incompatible(event) -> None:
        report(_unhearing(topic, qos_policy_name_from_kind(event.last_policy_kind)))

    return PublisherEventCallbacks(incompatible_qos=on_incompatible)


class Misfits:
    """Warns of other ends whose QoS does not fit a topic of `node`.

    DDS tells of each once, as it appears; whether it is still there is asked of the graph, which tells ends
    apart by the name of their node only.
    """

    def __init__(self, node: Node):
        self._node = node
        self._warned_at: dict[str, float] = {}

    def warn(self, said: str) -> None:
        """Logs `said`, unless it was just logged."""
        now = time.monotonic()
        if now - self._warned_at.get(said, float("-inf")) >= WARNING_PERIOD_S:
            self._warned_at[said] = now
            self._node.get_logger().warning(said)

    def present(self) -> list[str]:
        """A line for each topic and policy that does not fit now."""
        return sorted(set(self._find()))

    def _find(self) -> Iterator[str]:
        for topic in {own.topic_name for own in (*self._node.subscriptions, *self._node.publishers)}:
            # The graph's word on our own ends too: it has every policy, where ours may be left open.
            publishers = self._node.get_publishers_info_by_topic(topic)
            subscriptions = self._node.get_subscriptions_info_by_topic(topic)
            for publisher, subscription in product(publishers, filter(self._is_own, subscriptions)):
                if policy := _broken_policy(publisher, subscription):
                    yield _unheard(topic, policy)
            for publisher, subscription in product(filter(self._is_own, publishers), subscriptions):
                if policy := _broken_policy(publisher, subscription):
                    yield _unhearing(topic, policy)

    def _is_own(self, end: TopicEndpointInfo) -> bool:
        return (end.node_name, end.node_namespace) == (self._node.get_name(), self._node.get_namespace())


def _unheard(topic: str, policy: str) -> str:
    return f"nothing is received from a publisher of {topic}: {_mismatch(topic, policy)}"


def _unhearing(topic: str, policy: str) -> str:
    return f"nothing is sent to a subscription of {topic}: {_mismatch(topic, policy)}"


def _mismatch(topic: str, policy: str) -> str:
    remedy = _REMEDIES.get(policy, f"compare both with `ros2 topic info --verbose {topic}`")
    return f"its {policy} does not fit; {remedy}"


def _broken_policy(publisher: TopicEndpointInfo, subscription: TopicEndpointInfo) -> str:
    """Why the two do not meet; empty where they do, or have not the same type."""
    if publisher.topic_type != subscription.topic_type:
        return ""
    offered, requested = publisher.qos_profile, subscription.qos_profile
    if qos_check_compatible(offered, requested)[0] != QoSCompatibility.ERROR:
        return ""
    if (offered.reliability, requested.reliability) == _UNRELIABLE:
        return "RELIABILITY"
    if (offered.durability, requested.durability) == _NOT_LATCHED:
        return "DURABILITY"
    return "QoS"
