"""Stub nodes in processes of their own."""

import os
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from dmmi_ros.testing.node_process import NodeProcess
from helpers.client import Client
from helpers.paths import STUB_NODE

SETTINGS = {"image_reliability": "reliable", "diagnostics_period": 0.05}
"""Parameters that differ from the defaults in tests: no frame is lost, and reports come quickly."""
_numbers = count(1)


class Gate:
    """Holds a stub inside a slow step; see stub_node.py."""

    def __init__(self, path: Path):
        self.path = path
        os.mkfifo(path)

    @contextmanager
    def held(self):
        """Wait until the stub has reached the gate, and let it pass after the block."""
        with self.path.open("wb"):
            yield


class StubNode:
    """A stub node in its own process, and its `client`; `remap` maps names of topics to others."""

    def __init__(
        self,
        *,
        folder: Path,
        environment: dict[str, str],
        remap: dict[str, str] | None = None,
        **parameters,
    ):
        number = next(_numbers)
        self.gate = Gate(folder / f"gate_{number}")
        self.client = Client(namespace=f"/test_{number}")
        self.parameters = {**SETTINGS, **parameters}
        self._remap = {"__ns": self.client.get_namespace(), **(remap or {})}
        self._environment = {**environment, "STUB_GATE": str(self.gate.path)}
        self._log = folder / f"node_{number}.log"
        self.start()

    def start(self) -> None:
        """Start the process, also again after its end."""
        command = [sys.executable, STUB_NODE, "--ros-args"]
        for name, other in self._remap.items():
            command += ["-r", f"{name}:={other}"]
        for name, value in self.parameters.items():
            command += ["-p", f"{name}:={value}"]
        with self._log.open("w") as output:
            self.process = NodeProcess(command, environment=self._environment, output=output)

    def log(self) -> str:
        """Return the log so far."""
        return self._log.read_text()

    def end(self) -> None:
        """Stop the node and assert that its log has no traceback."""
        self.process.stop()
        self.client.destroy_node()
        assert "Traceback" not in self.log(), self.log()
