"""A client that monitors the node's diagnostics, for the demo, the benchmarks, `dmmi-bag` and the tests."""

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

DIAGNOSTICS_QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)


class NodeUnresponsive(RuntimeError):
    """The node has ended, or did not meet a condition in time."""


class NodeMonitor(Node):
    """A ROS node that collects the diagnostics of the node `dmmi` in its namespace.

    Callbacks run only inside the methods that wait. These wait for `timeout` seconds by default, and no
    longer than `is_node_alive`.
    """

    def __init__(
        self,
        name: str,
        *,
        namespace: str = "",
        context: Context | None = None,
        timeout: float,
        is_node_alive: Callable[[], bool] = lambda: True,
    ):
        super().__init__(name, namespace=namespace, context=context)
        self.reports: list[dict[str, str]] = []
        """The values of each status on /diagnostics with its `level` and `message`, the newest last."""
        self._timeout = timeout
        self._is_node_alive = is_node_alive
        self._reports_subscription: Subscription | None = None
        self._spinner = SingleThreadedExecutor(context=context)
        self._spinner.add_node(self)

    def listen_to_reports(self) -> None:
        """Subscribe to /diagnostics; subscribe anew if called again.

        Call this after creating other endpoints: the node has discovered all of them once its diagnostics
        arrive.
        """
        if self._reports_subscription is not None:
            self.destroy_subscription(self._reports_subscription)
        self._reports_subscription = self.create_subscription(
            DiagnosticArray, "/diagnostics", self._on_diagnostics, DIAGNOSTICS_QOS
        )

    def wait_for(self, condition: Callable[[], object], what: str, *, timeout: float | None = None) -> None:
        """Listen until `condition()` is true. Raises `NodeUnresponsive` that names `what` is missing."""
        timeout = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + timeout
        while not condition():
            if not self._is_node_alive():
                raise NodeUnresponsive("the node has ended")
            if time.monotonic() > deadline:
                raise NodeUnresponsive(f"no {what} within {timeout:.0f} s; {self._last_report()}")
            self._spinner.spin_once(timeout_sec=0.05)

    def wait_for_report(self, *, timeout: float | None = None, **expected: object) -> dict[str, str]:
        """Wait until the newest report has the values `expected`; return it.

        With `camera`, reports of other cameras are ignored. Underscores stand for spaces in keys:
        `frames_received=5`.
        """
        texts = {key.replace("_", " "): str(value) for key, value in expected.items()}
        self.wait_for(
            lambda: texts.items() <= self._newest_report(texts).items(), f"report of {texts}", timeout=timeout
        )
        return self._newest_report(texts)

    def _last_report(self) -> str:
        if not self.reports:
            return "nothing was heard of the node"
        report = {key: value for key, value in self.reports[-1].items() if value not in ("", "0", "0.0")}
        return "the node reports " + ", ".join(f"{key}: {value}" for key, value in report.items())

    def _newest_report(self, texts: dict[str, str]) -> dict[str, str]:
        camera = texts.get("camera")
        return next((r for r in reversed(self.reports) if camera in (None, r["camera"])), {})

    def listen_until(self, instant: float) -> None:
        """Listen until `instant` of the monotonic clock; return at once if it is past."""
        while (rest := instant - time.monotonic()) > 0:
            self._spinner.spin_once(timeout_sec=rest)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(f"{self.get_namespace().rstrip('/')}/dmmi:"):
                values = {value.key: value.value for value in status.values}
                self.reports.append({**values, "level": str(status.level[0]), "message": status.message})
