"""Quality of service: the profiles in use, and warnings about publishers and subscriptions that mismatch."""

import time
from collections.abc import Iterator
from itertools import product

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

RESULT_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
# Room for images that come while another callback runs; stale ones are dropped, and counted, afterwards.
IMAGE_DEPTH = 5
WARNING_PERIOD_S = 10.0
DATAGRAM_BYTES = 64_000
"""Size up to which a frame is sent in one piece, with the default settings of Fast DDS too."""
LARGE_BYTES = 8 * 2**20
"""Size up to which two frames fit into the shared memory of config/fastdds_images.xml."""

_UNRELIABLE = (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE)
_NOT_LATCHED = (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL)
"""The policies offered by a publisher and requested by a subscription that make no match."""
_REMEDIES = {
    "RELIABILITY": "let it publish RELIABLE, or for images set image_reliability to best_effort",
    "DURABILITY": "the subscription must be VOLATILE (for commands: command_durability), or the publisher "
    "TRANSIENT_LOCAL",
}


def command_qos(durability: str) -> QoSProfile:
    """Return the profile for commands; `durability` is "volatile" or "transient_local".

    Volatile matches a latched publisher and an ordinary one alike; transient_local, latched ones only.
    """
    return QoSProfile(
        depth=10,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy[durability.upper()],
    )


def image_qos(reliability: str) -> QoSProfile:
    """Return the profile for images of all kinds; `reliability` is "best_effort" or "reliable"."""
    return QoSProfile(depth=IMAGE_DEPTH, reliability=ReliabilityPolicy[reliability.upper()])


def loss_advice(frame_bytes: int) -> str:
    """Return what to do about lost frames of this size; 0 if no frame has come."""
    if 0 < frame_bytes <= DATAGRAM_BYTES:
        return "the network or this machine is overloaded; lower the rate of the camera"
    remedy = "set FASTDDS_DEFAULT_PROFILES_FILE to the shipped {} before the camera driver starts"
    if not frame_bytes:
        return remedy.format("fastdds_images.xml")
    size = f"frames of {frame_bytes / 1e6:.1f} MB"
    if frame_bytes <= LARGE_BYTES:
        return f"{size} need much shared memory: {remedy.format('fastdds_images.xml')}"
    large = remedy.format("fastdds_large_images.xml")
    return f"{size} are large: prefer image/compressed or a lower resolution; else {large}"


class QosMonitor:
    """Finds publishers and subscriptions of other nodes whose QoS mismatches that of `node`.

    The graph is asked rather than the events of DDS, which come once, when an endpoint appears, and do not
    tell when it has gone.
    """

    def __init__(self, node: Node):
        self._node = node
        self._warned_at: dict[str, float] = {}

    def check(self) -> list[str]:
        """Return a line for each topic and policy that mismatch now, and log those that are new."""
        mismatches = sorted(set(self._find()))
        for mismatch in mismatches:
            self._warn(mismatch)
        return mismatches

    def _warn(self, mismatch: str) -> None:
        now = time.monotonic()
        if now - self._warned_at.get(mismatch, float("-inf")) >= WARNING_PERIOD_S:
            self._warned_at[mismatch] = now
            self._node.get_logger().warning(mismatch)

    def _find(self) -> Iterator[str]:
        topics = {subscription.topic_name for subscription in self._node.subscriptions}
        topics |= {publisher.topic_name for publisher in self._node.publishers}
        for topic in topics:
            # Take our own endpoints from the graph too: it knows every policy, our profiles leave some open.
            publishers = self._node.get_publishers_info_by_topic(topic)
            subscriptions = self._node.get_subscriptions_info_by_topic(topic)
            for publisher, subscription in product(publishers, filter(self._is_own, subscriptions)):
                if policy := _mismatching_policy(publisher, subscription):
                    yield f"nothing is received from a publisher of {topic}: {_explain(topic, policy)}"
            for publisher, subscription in product(filter(self._is_own, publishers), subscriptions):
                if policy := _mismatching_policy(publisher, subscription):
                    yield f"nothing is sent to a subscription of {topic}: {_explain(topic, policy)}"

    def _is_own(self, endpoint: TopicEndpointInfo) -> bool:
        own = (self._node.get_name(), self._node.get_namespace())
        return (endpoint.node_name, endpoint.node_namespace) == own


def _explain(topic: str, policy: str) -> str:
    remedy = _REMEDIES.get(policy, f"compare both with `ros2 topic info --verbose {topic}`")
    return f"its {policy} does not fit; {remedy}"


def _mismatching_policy(publisher: TopicEndpointInfo, subscription: TopicEndpointInfo) -> str:
    """Return the policy that keeps the two apart; empty if they match, or differ in their type."""
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
