"""The launch file under the real launch system, where there is one; it starts the stub node."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from client import Client
from expectations import assert_finds
from sensor_msgs.msg import Image

from dmmi_ros.images import from_array

pytest.importorskip("launch_ros", reason="launch and launch_ros are not installed")
pytestmark = pytest.mark.timeout(120)

HERE = Path(__file__).parent
FILE = HERE.parents[1] / "launch" / "dmmi.launch.py"
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
file, *arguments = sys.argv[1:]
pairs = [argument.split(":=", 1) for argument in arguments]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(file, launch_arguments=pairs)])
)
sys.exit(service.run())
"""


@pytest.fixture
def launch(ros, tmp_path):
    """Starts the launch file with arguments; where it looks for the node, it finds the stub."""
    (tmp_path / "share/ament_index/resource_index/packages").mkdir(parents=True)
    (tmp_path / "share/ament_index/resource_index/packages/dmmi").touch()
    program = tmp_path / "lib/dmmi/dmmi_node"
    program.parent.mkdir(parents=True)
    stub = f'exec {sys.executable} {HERE}/stub_node.py "$@"'
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\n{stub}\n")
    program.chmod(0o755)
    paths = os.pathsep.join([str(tmp_path), os.environ.get("AMENT_PREFIX_PATH", sys.prefix)])
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", LAUNCH, str(FILE), *arguments],
                env={**os.environ, "AMENT_PREFIX_PATH": paths},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


@pytest.fixture
def robot(ros):
    client = Client(namespace="/robot")
    yield client
    client.destroy_node()


def test_it_starts_an_active_node_with_its_topics(launch, robot, scene):
    process = launch("namespace:=robot", "image:=/camera/image_raw", "model:=007")
    camera = robot.create_publisher(Image, "/camera/image_raw", 10)
    robot.wait_for_report(state="active", model="007")
    robot.wait_until_active(images=camera)
    robot.command("the red boxes")
    message = from_array(scene.image, header=robot.next_header())
    camera.publish(message)
    assert_finds(robot.answer_to(message.header), scene.masks["red"])
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "process has finished cleanly" in said


def test_it_leaves_the_transitions_to_others(launch, robot):
    launch("namespace:=robot", "autostart:=false")
    robot.wait_for_report(state="unconfigured", model="dmmi-lite")
    assert robot.change_state("configure")


def test_a_node_that_crashes_comes_back_active(launch, robot, scene):
    process = launch("namespace:=robot", "use_respawn:=true")
    robot.wait_until_active()
    for text in ("the green box", "the red boxes"):
        robot.command(text)
    line = next(line for line in process.stdout if "started with pid" in line)
    os.kill(int(line.split("pid [")[1].rstrip("]\n")), signal.SIGKILL)
    assert next(line for line in process.stdout if "started with pid" in line)
    robot.forget()
    robot.wait_for_report(state="active", command="")
    robot.wait_until_active()
    robot.command("the red boxes")
    assert robot.answer_to(robot.send(scene.image)).command_id == 1  # another node, counting anew


@pytest.mark.parametrize("own", ["", "/mine.xml"])
def test_it_sets_the_profile_unless_there_is_one(launch, robot, tmp_path, monkeypatch, own):
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE")
    if own:
        monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", own)
    launch("namespace:=robot")
    robot.wait_for_report(state="active")
    expected = own or str(FILE.parents[1] / "config" / "fastdds_images.xml")
    assert f"FASTDDS_DEFAULT_PROFILES_FILE={expected}\n" in (tmp_path / "environment").read_text()
