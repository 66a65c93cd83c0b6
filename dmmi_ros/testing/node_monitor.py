"""What stands beside the node in demonstrations, measurements and tests: it hears it, and waits for it."""

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

REPORTS_QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)


class NodeSilent(RuntimeError):
    """The node has ended, or did not do in time what was waited for."""


class Companion(Node):
    """A ROS node that keeps what the node `dmmi` of its namespace reports of itself, the newest last.

    It listens only while it waits: for `timeout` seconds unless told otherwise, as long as `is_node_alive`.
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
        """The values of each status on /diagnostics, and its `level` and `message`."""
        self._timeout = timeout
        self._is_node_alive = is_node_alive
        self._reports_subscription = None
        self._spinner = SingleThreadedExecutor(context=context)
        self._spinner.add_node(self)

    def listen_to_reports(self) -> None:
        """To be called last, and again where something new was made: a node that is heard on /diagnostics has
        met all that was there before."""
        if self._reports_subscription is not None:
            self.destroy_subscription(self._reports_subscription)
        self._reports_subscription = self.create_subscription(
            DiagnosticArray, "/diagnostics", self._take_report, REPORTS_QOS
        )

    def wait_for(self, condition: Callable[[], object], what: str, *, timeout: float | None = None) -> None:
        """Listens until `condition()` holds. Raises NodeSilent, which says `what` there is none of."""
        timeout = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + timeout
        while not condition():
            if not self._is_node_alive():
                raise NodeSilent("the node has ended")
            if time.monotonic() > deadline:
                raise NodeSilent(f"no {what} within {timeout:.0f} s; {self._last_report()}")
            self._spinner.spin_once(timeout_sec=0.05)

    def wait_for_report(self, *, timeout: float | None = None, **expected) -> dict[str, str]:
        """The newest report, of a camera if `camera` names one, once it has these values.

        A key of several words is given with underscores: `frames_received=5`.
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
        """Listens until `instant` of the monotonic clock; returns at once if it is past."""
        while (rest := instant - time.monotonic()) > 0:
            self._spinner.spin_once(timeout_sec=rest)

    def _take_report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(f"{self.get_namespace().rstrip('/')}/dmmi:"):
                values = {value.key: value.value for value in status.values}
                self.reports.append({**values, "level": str(status.level[0]), "message": status.message})
