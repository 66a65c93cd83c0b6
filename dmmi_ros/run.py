"""Running a node until SIGINT or SIGTERM, which interrupt nothing."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

GRACE_S = 3.0


def catch_signals() -> threading.Event:
    """SIGINT and SIGTERM set the event from now on, and do nothing else."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def spin_until(stop: threading.Event, node: Node, *, first: Callable[[], None] = lambda: None) -> None:
    """Runs `first`, then the callbacks of `node`, in a thread; destroys the node once `stop` is set.

    Raises what a callback raised. A callback that goes on for `GRACE_S` seconds after that, such as one
    that loads a model, has nothing to lose: the process then ends at once, with exit status 0.

    rclpy must be initialised without signal handlers: its own take the context away from under callbacks.
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def run() -> None:
        if not stop.is_set():
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
