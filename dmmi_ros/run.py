"""Run a node until SIGINT or SIGTERM, which end it in order instead of interrupting it."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

GRACE_S = 0.7
"""Seconds that a callback may take to return after a signal."""


def catch_signals() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set from now on; they do nothing else."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def spin_until(stop: threading.Event, node: Node, *, first: Callable[[], None] = lambda: None) -> None:
    """Run `first` and the callbacks of `node` in a thread until `stop` is set; then destroy the node.

    Raises what a callback raised. If a callback, such as one that loads a model, does not return within
    `GRACE_S` seconds, the process exits at once with status 0.

    rclpy must be initialised without signal handlers: its own shut the context down while callbacks run.
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
