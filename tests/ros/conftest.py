"""Fixtures that start real nodes, each in a namespace of its own, in a ROS domain that nobody else uses."""

import os
import sys
from contextlib import contextmanager
from dataclasses import fields
from itertools import count
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed")
pytest.importorskip("dmmi", reason="the messages are not built")

from client import Client  # noqa: E402
from scenes import make_scene  # noqa: E402

from dmmi_ros.parameters import Parameters  # noqa: E402
from dmmi_ros.process import Domain, NodeProcess  # noqa: E402

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
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
    """A stub node in a process of its own, and the `client` who speaks with it."""

    def __init__(self, *, folder: Path, environment: dict[str, str], **parameters):
        number = next(_numbers)
        self.gate = Gate(folder / f"gate_{number}")
        self.client = Client(namespace=f"/test_{number}")
        self._log = folder / f"node_{number}.log"
        command = [sys.executable, HERE / "stub_node.py", "--ros-args"]
        command += ["-r", f"__ns:={self.client.get_namespace()}"]
        for name, value in {"image_reliability": "reliable", **parameters}.items():
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


@pytest.fixture(scope="session")
def ros():
    """A ROS context, and with it the environment for nodes, in a domain of this test process alone."""
    domain = Domain()
    environment = domain.environment(profile=ROOT / "config" / "fastdds_images.xml")
    os.environ.update(environment)
    rclpy.init()
    yield environment
    rclpy.shutdown()


@pytest.fixture
def start_node(ros, tmp_path):
    """Starts a stub node with the given parameters; it is ended with the test, and must not have crashed."""
    started = []

    def start(**parameters) -> StubNode:
        started.append(StubNode(folder=tmp_path, environment=ros, **parameters))
        return started[-1]

    yield start
    for node in started:
        node.end()


@pytest.fixture(scope="module")
def shared_node(ros, tmp_path_factory):
    node = StubNode(folder=tmp_path_factory.mktemp("shared"), environment=ros, autostart=True)
    node.client.wait_until_active()
    yield node
    node.end()


@pytest.fixture
def node(shared_node):
    """The module's node, as good as new: active, no command, nothing counted and nothing heard of it."""
    client = shared_node.client
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        client.change_state(transition)  # not all are possible in the state that the last test left
    assert client.state() == "active"
    for parameter in fields(Parameters):
        if parameter.metadata["tunable"]:
            client.set_parameter(parameter.name, parameter.default)
    client.forget()
    client.wait_until_active()
    return shared_node


@pytest.fixture
def client(node):
    return node.client


@pytest.fixture
def gate(node):
    return node.gate


@pytest.fixture
def scene():
    return make_scene()
