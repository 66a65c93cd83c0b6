"""Subscriptions to the topics of a camera."""

from collections.abc import Callable, Iterable

from rclpy.node import Node
from rclpy.subscription import Subscription

from dmmi_ros.topics.qos import image_qos


def subscribe(
    node: Node, topics: Iterable[tuple[type, str, Callable]], *, reliability: str
) -> list[Subscription]:
    """Subscribe to each type and topic with its callback; if one fails, end the others and raise."""
    subscriptions: list[Subscription] = []
    try:
        for type_, topic, callback in topics:
            subscriptions.append(node.create_subscription(type_, topic, callback, image_qos(reliability)))
    except Exception:  # such as a name that is too long
        unsubscribe(node, subscriptions)
        raise
    return subscriptions


def unsubscribe(node: Node, subscriptions: list[Subscription]) -> None:
    """Destroy the subscriptions and empty the list."""
    while subscriptions:
        node.destroy_subscription(subscriptions.pop())
