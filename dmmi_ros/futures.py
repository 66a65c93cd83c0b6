"""Futures that callbacks of a node await and another thread settles."""

from rclpy.node import Node
from rclpy.task import Future


def awaitable(node: Node) -> Future:
    """Return a future for callbacks of `node`; its executor is woken once any thread settles it."""
    future: Future = Future()

    def wake(settled: Future) -> None:
        settled.exception()  # or rclpy complains if nobody awaits it any more, as the process ends
        if node.executor is not None:
            node.executor.wake()  # the executor does not watch what callbacks await

    future.add_done_callback(wake)
    return future
