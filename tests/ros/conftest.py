"""Fixtures that start real nodes, each in its own namespace, in a ROS domain of this test process."""

import os
from dataclasses import fields
from importlib.util import find_spec

import pytest

if find_spec("rclpy") and find_spec("dmmi"):
    import rclpy

    from dmmi_ros.parameters import Parameters, Read
    from dmmi_ros.testing.fake_segmenter import make_scene
    from dmmi_ros.testing.node_process import Domain
    from helpers.nodes import SETTINGS, StubNode
else:

    def pytest_pycollect_makemodule():
        pytest.skip("ROS 2 or the messages of this package are not installed")


@pytest.fixture(scope="session")
def ros():
    """Initialise ROS in a domain of this test process; return the environment for nodes in it."""
    domain = Domain()
    environment = domain.environment()
    os.environ.update(environment)
    rclpy.init()
    yield environment
    rclpy.shutdown()


@pytest.fixture
def start_node(ros, tmp_path):
    """Return a function that starts a stub node with parameters; it ends with the test and must not crash."""
    started = []

    def start(**parameters):
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
    """Return the module's node, reset: active, without a command, counters at 0, no messages collected."""
    client = shared_node.client
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        client.change_state(transition)  # not all are possible in the state that the last test left
    assert client.state() == "active"
    tunable = {
        each.name: each.default for each in fields(Parameters) if each.metadata["read"] == Read.AT_ONCE
    }
    # What is not sent need not be missed.
    client.set_parameters({**tunable, **SETTINGS, "frame_timeout": 0.0})
    client.clear()
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
