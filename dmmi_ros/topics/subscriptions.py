"""Subscriptions to what a camera sends."""

from collections.abc import Callable, Iterable

from rclpy.node import Node
from rclpy.subscription import Subscription

from dmmi_ros.topics.qos import image_qos, subscription_events


def subscribe(
    node: Node,
    wanted: Iterable[tuple[type, str, Callable]],
    *,
    reliability: str,
    report: Callable[[str], None],
) -> list[Subscription]:
    """A subscription for each type, topic and callback; all of them, or none and what rclpy raises.

    `report` gets a line where a publisher's QoS does not fit.
    """
    subscriptions: list[Subscription] = []
    try:
        for type_, topic, callback in wanted:
            events = subscription_events(node.resolve_topic_name(topic), report)
            subscriptions.append(
                node.create_subscription(
                    type_, topic, callback, image_qos(reliability), event_callbacks=events
                )
            )
    except Exception:  # such as a name that is too long
        unsubscribe(node, subscriptions)
        raise
    return subscriptions


def unsubscribe(node: Node, subscriptions: list[Subscription]) -> None:
    """Ends them, and empties the list."""
    while subscriptions:
        node.destroy_subscription(subscriptions.pop())
