"""Commands that hold over a restart: the parameter `text`, and the last one if `keep_command` is set."""

import json
import signal
import time

import pytest
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from dmmi_core.errors import InputError
from dmmi_ros.commands import Commands
from dmmi_ros.kept_command import CommandFile, KeptCommand
from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)
KEPT = KeptCommand("the red boxes", first="", time=1000.0)


@pytest.fixture(autouse=True)
def ros_home(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_HOME", str(tmp_path / "ros"))
    return tmp_path / "ros"


@pytest.fixture
def restart(start_node):
    """Return a function that kills a node at once and starts it again."""

    def restart(node):
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
        node.client.clear()
        node.start()
        node.client.wait_for_report(
            state="active"
        )  # not by a service, as that of the dead node is still known
        return node

    return restart


def test_what_is_written_is_read(ros_home):
    file = CommandFile("/robot/dmmi")
    assert file.read() is None
    file.write(KEPT)
    assert file.path == ros_home / "dmmi" / "robot.dmmi.json"
    assert CommandFile("/robot/dmmi").read() == KEPT
    assert [path.name for path in file.path.parent.iterdir()] == ["robot.dmmi.json"]
    file.remove()
    file.remove()
    assert file.read() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"text": 1, "first": "", "time": 0}',
        b'{"text": "", "first": ""}',
        b'{"text": "\\ud800", "first": "", "time": 0}',
        b'{"text": "", "first": "", "time": "now"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_an_error_of_one_line(ros_home, content):
    file = CommandFile("/dmmi")
    file.write(KEPT)
    file.path.write_bytes(content)
    with pytest.raises(InputError, match=r"^the kept command is ignored, as .* cannot be read: [^\n]*$"):
        file.read()


def test_a_folder_that_cannot_be_written_is_an_error(ros_home):
    ros_home.write_text("a file, not a folder")
    with pytest.raises(InputError, match="the command cannot be kept in"):
        CommandFile("/dmmi").write(KEPT)


def test_the_age_is_not_negative_after_the_clock_was_set_back():
    assert KeptCommand("the cat", first="", time=time.time() + 1e6).age == 0.0


def test_an_old_command_expires_when_it_would_have():
    commands = Commands(clock=lambda: 100.0)
    commands.accept("the cat", timeout=10.0, age=9.0)
    assert commands.current(timeout=10.0)
    commands.accept("the cat", timeout=10.0, age=11.0)
    assert commands.current(timeout=10.0) is None


def test_a_node_is_started_with_a_command_and_keeps_it(start_node, restart, scene):
    node = start_node(autostart=True, text="the red boxes")
    node.client.wait_until_active()
    node.client.command("the green box")
    client = restart(node).client
    client.wait_for_report(command="the red boxes", state="active")
    while not client.segmentations:
        client.send(scene.image)
        client.listen_until(time.monotonic() + 0.1)
    assert_finds(client.segmentations[0], scene.masks["red"])


@pytest.mark.parametrize("last", ["the green box", ""])
def test_the_last_command_is_kept(start_node, restart, last):
    node = start_node(autostart=True, text="the red boxes", keep_command=True)
    node.client.wait_until_active()
    node.client.command("the blue box")
    node.client.command(last)
    restart(node).client.wait_for_report(command=last, state="active")


def test_another_first_command_is_newer_than_the_kept_one(start_node, restart):
    node = start_node(autostart=True, text="the red boxes", keep_command=True)
    node.client.wait_until_active()
    node.client.command("the green box")
    node.parameters["text"] = "the blue box"
    restart(node).client.wait_for_report(command="the blue box", state="active")


def test_a_damaged_file_costs_the_kept_command_only(start_node, restart):
    node = start_node(autostart=True, text="the red boxes", keep_command=True)
    node.client.wait_until_active()
    node.client.command("the green box")
    CommandFile(f"{node.client.get_namespace()}/dmmi").path.write_text("{")
    again = restart(node)
    again.client.wait_for_report(command="the red boxes", state="active")
    assert "[WARN]" in again.log() and "the kept command is ignored" in again.log()


def test_without_keep_command_nothing_is_kept(start_node, ros_home):
    node = start_node(autostart=True)
    file = CommandFile(f"{node.client.get_namespace()}/dmmi")
    node.client.wait_until_active()
    node.client.command("the green box")
    assert not file.path.exists()
    assert node.client.change_state("deactivate") and node.client.change_state("cleanup")
    file.write(KEPT)
    assert node.client.change_state("configure")
    assert not file.path.exists()
    node.client.wait_for_report(command="", state="inactive")


def test_a_kept_file_is_plain_json(ros_home):
    file = CommandFile("/dmmi")
    file.write(KEPT)
    assert json.loads(file.path.read_text()) == {"text": "the red boxes", "first": "", "time": 1000.0}


@pytest.mark.parametrize("durability", ["volatile", "transient_local"])
def test_a_latched_command_sent_before_the_node_is_up(start_node, durability):
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    sender = Node("latched_sender", namespace="/latched")
    sender.create_publisher(String, "command", latched).publish(String(data="the red boxes"))
    node = start_node(autostart=True, command_durability=durability, remap={"command": "/latched/command"})
    heard = "the red boxes" if durability == "transient_local" else ""
    node.client.wait_for_report(state="active")
    if heard:
        node.client.wait_for_report(command=heard)
    else:  # it would have been heard before the second of two requests
        assert node.client.state() == node.client.state() == "active"
        assert node.client.reports[-1]["command"] == ""
    sender.destroy_node()
