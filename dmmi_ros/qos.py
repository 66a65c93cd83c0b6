"""Quality of service: the profiles in use, and what to say where another end does not fit them."""

from collections.abc import Callable

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind

# Volatile, so that it matches a latched publisher and an ordinary one alike.
COMMAND_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
OUTPUT_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
# Room for what comes while another callback runs; what is stale is dropped, and counted, after it.
IMAGE_DEPTH = 5

_REMEDIES = {
    "RELIABILITY": "let it publish RELIABLE, or for images set image_reliability to best_effort",
    "DURABILITY": "let it subscribe with VOLATILE durability",
}


def image_qos(reliability: str) -> QoSProfile:
    """For images of all kinds; `reliability` is "best_effort" or "reliable"."""
    return QoSProfile(depth=IMAGE_DEPTH, reliability=ReliabilityPolicy[reliability.upper()])


def subscription_events(topic: str, report: Callable[[str], None]) -> SubscriptionEventCallbacks:
    """`report` gets a line for every publisher whose messages cannot be received."""

    def on_incompatible(event) -> None:
        report(f"nothing is received from a publisher of {topic}: {_mismatch(topic, event)}")

    return SubscriptionEventCallbacks(incompatible_qos=on_incompatible)


def publisher_events(topic: str, report: Callable[[str], None]) -> PublisherEventCallbacks:
    """`report` gets a line for every subscription that will receive nothing."""

    def on_incompatible(event) -> None:
        report(f"nothing is sent to a subscription of {topic}: {_mismatch(topic, event)}")

    return PublisherEventCallbacks(incompatible_qos=on_incompatible)


def _mismatch(topic: str, event) -> str:
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    remedy = _REMEDIES.get(policy, f"compare both with `ros2 topic info --verbose {topic}`")
    return f"its {policy} does not fit; {remedy}"
