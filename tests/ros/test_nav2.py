"""The node under a stand-in for nav2's lifecycle manager, which speaks its protocol.

nav2 waits for the services get_state and change_state, configures and activates each node, checks the state
after each transition, and then watches the bond of the node until it deactivates it.
"""

import pytest
from std_msgs.msg import String

from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)
SERVICE_TIMEOUT_S = 5.0
"""nav2's default."""
AFTER = {"configure": "inactive", "activate": "active", "deactivate": "inactive", "cleanup": "unconfigured"}
BONDPY = '''
"""As much of bondpy as the node needs: a heartbeat of strings."""

import threading

from rclpy.duration import Duration
from std_msgs.msg import String


class Bond:
    def __init__(self, node, topic, bond_id):
        self._id, self._ended = bond_id, threading.Event()
        self._node, self._topic = node, topic
        self.pub = node.create_publisher(String, topic, 10)

    def start(self):
        assert self.heartbeat_timeout == 4.0
        self.sub = self._node.create_subscription(String, self._topic, lambda _: None, 10)
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def _beat(self):
        while not self._ended.wait(self.heartbeat_period):
            self.pub.publish(String(data=f"{self._id} is alive"))

    def shutdown(self):
        self._ended.set()
        self._heart.join()
        self.pub.publish(String(data=f"{self._id} has ended"))
        self.pub.wait_for_all_acked(Duration(seconds=10))
        self.sub.destroy()
        self.pub.destroy()
'''


class Manager:
    """Changes the state as nav2's manager does."""

    def __init__(self, client):
        self._client = client
        self.heartbeat = client.listen(String, "bond")

    def change(self, transition: str) -> None:
        future = self._client.start_changing_state(transition)
        self._client.wait_for(future.done, f"response to {transition}", timeout=SERVICE_TIMEOUT_S)
        assert future.result().success
        assert self._client.state() == AFTER[transition]

    def wait_for_heartbeat(self, word: str) -> None:
        self.heartbeat.clear()
        self._client.wait_for(
            lambda: any(message.data == f"dmmi {word}" for message in self.heartbeat), f"heart that {word}"
        )


@pytest.fixture
def manage(start_node, tmp_path, monkeypatch):
    """Return a function that starts a node with a bond, or without bondpy, and its manager."""

    def manage(*, has_bondpy: bool = True, **parameters):
        package = tmp_path / "modules" / "bondpy"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "bondpy.py").write_text(BONDPY if has_bondpy else "raise ImportError('no bond')")
        monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=":")
        node = start_node(**parameters)
        node.client.wait_for_report(state="unconfigured")
        return Manager(node.client), node

    return manage


def test_a_manager_brings_it_up_and_down(manage, scene):
    manager, node = manage(bond=True)
    client = node.client
    for _ in range(2):  # a manager that resets and starts its nodes again
        manager.change("configure")
        assert not manager.heartbeat
        manager.change("activate")
        manager.wait_for_heartbeat("is alive")
        client.wait_until_active()
        client.command("the red boxes")
        assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])
        manager.heartbeat.clear()
        manager.change("deactivate")
        client.wait_for(lambda: String(data="dmmi has ended") in manager.heartbeat, "end of the bond")
        manager.change("cleanup")
        manager.heartbeat.clear()
        client.clear()


def test_the_heart_beats_while_a_frame_is_under_way(manage, scene):
    manager, node = manage(bond=True)
    manager.change("configure")
    manager.change("activate")
    node.client.wait_until_active()
    node.client.command("the red boxes, slowly")
    node.client.send(scene.image)
    with node.gate.held():
        manager.wait_for_heartbeat("is alive")


def test_the_diagnostics_survive_the_end_of_a_bond(manage):
    manager, node = manage(bond=True)
    manager.change("configure")
    manager.change("activate")
    manager.change("deactivate")
    node.client.clear()
    node.client.wait_for_report(state="inactive")


def test_without_a_bond_there_is_no_heartbeat(manage):
    manager, node = manage()
    manager.change("configure")
    manager.change("activate")
    node.client.wait_for_report(state="active")
    assert not node.client.count_publishers("bond")


def test_a_bond_without_bondpy_is_refused_with_what_to_do(manage):
    _, node = manage(has_bondpy=False, bond=True)
    assert node.client.change_state("configure")
    assert not node.client.change_state("activate")
    assert "the parameter bond needs bondpy" in node.log()
    assert "bond_timeout of the lifecycle manager to 0.0" in node.log()
