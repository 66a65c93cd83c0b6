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
"""What tests need otherwise than it is by default: nothing lost, and no second's wait for a report."""
_numbers = count(1)


class Gate:
    """Keeps a stub inside a slow step; see stub_node.py."""

    def __init__(self, path: Path):
        self.path = path
        os.mkfifo(path)

    @contextmanager
    def held(self):
        """Waits until the stub is inside, and lets it go on after the block."""
        with self.path.open("wb"):
            yield


class StubNode:
    """A stub node in a process of its own, and the `client` who speaks with it.

    `remap` gives topics of the node other names.
    """

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
        self._log = folder / f"node_{number}.log"
        command = [sys.executable, STUB_NODE, "--ros-args"]
        for name, other in {"__ns": self.client.get_namespace(), **(remap or {})}.items():
            command += ["-r", f"{name}:={other}"]
        for name, value in {**SETTINGS, **parameters}.items():
            command += ["-p", f"{name}:={value}"]
        with self._log.open("w") as output:
            environment = {**environment, "STUB_GATE": str(self.gate.path)}
            self.process = NodeProcess(command, environment=environment, output=output)

    def log(self) -> str:
        """All it wrote so far."""
        return self._log.read_text()

    def end(self) -> None:
        self.process.stop()
        self.client.destroy_node()
        assert "Traceback" not in self.log(), self.log()
