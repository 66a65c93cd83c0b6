"""Running a node until SIGINT or SIGTERM, which interrupt nothing."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

GRACE_S = 3.0


def spin_until_signal(node: Node, *, first: Callable[[], None]) -> None:
    """Runs `first`, then the callbacks of `node`, in a thread; destroys the node after the signal.

    Raises what a callback raised. A callback that goes on for `GRACE_S` seconds after the signal, such as one
    that loads a model, has nothing to lose: the process then ends at once, with exit status 0.

    rclpy must be initialised without signal handlers: its own take the context away from under callbacks.
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def run() -> None:
        first()
        while not stop.is_set():
            executor.spin_once()
        node.destroy_node()

    running = ThreadPoolExecutor(max_workers=1).submit(run)
    running.add_done_callback(lambda _: stop.set())
    stop.wait()
    executor.wake()
    if not wait([running], timeout=GRACE_S).done:
        os._exit(0)
    running.result()
