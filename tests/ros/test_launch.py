"""The launch files under the real launch system, with stand-ins for the programs that they start."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import cv2
import pytest
from rclpy.node import Node
from sensor_msgs.msg import Image

from dmmi_ros.conversion.images import from_array
from helpers.client import Client
from helpers.expectations import assert_finds
from helpers.paths import ROOT, STUB_NODE

pytest.importorskip("launch_ros", reason="launch and launch_ros are not installed")
pytestmark = pytest.mark.timeout(120)

LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import GroupAction, IncludeLaunchDescription
from launch_ros.actions import PushRosNamespace
pushed, file, *arguments = sys.argv[1:]
pairs = [argument.split(":=", 1) for argument in arguments]
actions = [IncludeLaunchDescription(file, launch_arguments=pairs)]
if pushed:
    actions = [GroupAction([PushRosNamespace(pushed), *actions])]
service = LaunchService()
service.include_launch_description(LaunchDescription(actions))
sys.exit(service.run())
"""


CAMERA = "import sys; from dmmi_ros.image_publisher import main; sys.exit(main())"
# Writes down how it was called, in a file named after itself and its first argument, and waits to be stopped.
# `ros2 lifecycle get` says what the test says.
RECORDER = """#!{python}
import json, os, signal, sys
from pathlib import Path
if sys.argv[1:3] == ["lifecycle", "get"]:
    print(Path("{folder}/state of " + sys.argv[3].replace("/", " ").strip()).read_text())
    sys.exit()
call = {{"arguments": sys.argv[1:], "environment": dict(os.environ)}}
file = Path("{folder}") / f"{{Path(sys.argv[0]).name}} {{sys.argv[1]}}"
file.with_suffix(".part").write_text(json.dumps(call))
file.with_suffix(".part").rename(file)
signal.sigwait([signal.SIGINT])
"""


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def launch(ros, tmp_path):
    """Return a function that starts a launch file; `pushed` is the namespace of a group around it.

    Where it looks for programs, it finds our stand-ins.
    """
    index = tmp_path / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    for package in ("dmmi", "rviz2", "foxglove_bridge"):
        (index / package).touch()
    record = f'env > {tmp_path}/environment\nprintf "%s\\n" "$@" > {tmp_path}/arguments'
    recorder = RECORDER.format(python=sys.executable, folder=tmp_path)
    run = f"exec {sys.executable}"
    write_program(tmp_path / "lib/dmmi/dmmi_node", f'#!/bin/sh\n{record}\n{run} {STUB_NODE} "$@"\n')
    write_program(tmp_path / "lib/dmmi/dmmi_player", f'#!/bin/sh\n{run} -c "{CAMERA}" "$@"\n')
    for program in ("lib/rviz2/rviz2", "lib/foxglove_bridge/foxglove_bridge", "bin/ros2"):
        write_program(tmp_path / program, recorder)
    ament = os.pathsep.join([str(tmp_path), os.environ.get("AMENT_PREFIX_PATH", sys.prefix)])
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    started = []

    def start(*arguments: str, file: str | Path = "dmmi", pushed: str = "") -> subprocess.Popen:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", LAUNCH, pushed, ROOT / "launch" / f"{file}.launch.py", *arguments],
                env={**os.environ, "AMENT_PREFIX_PATH": ament, "PATH": path},
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
def call_of(tmp_path, robot):
    """Return a function that waits for the call of a program and returns its arguments and environment."""

    def wait(name: str) -> dict:
        file = tmp_path / name
        robot.wait_for(file.exists, f"call of {name}")
        return json.loads(file.read_text())

    return wait


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
    robot.clear()
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
    expected = own or str(ROOT / "config" / "fastdds_images.xml")
    assert f"FASTDDS_DEFAULT_PROFILES_FILE={expected}\n" in (tmp_path / "environment").read_text()


def test_several_cameras_have_their_own_topics(launch, robot, tmp_path):
    launch("namespace:=robot", "cameras:=front=/a/image_raw left=/b/image_raw")
    robot.wait_for_report(state="active")
    arguments = (tmp_path / "arguments").read_text().splitlines()
    node = Node("dmmi", cli_args=arguments, automatically_declare_parameters_from_overrides=True)
    assert list(node.get_parameter("cameras").value) == ["front", "left"]
    assert node.get_parameter("model").value == "dmmi-lite"
    assert [node.resolve_topic_name(f"{name}/image") for name in ("front", "left")] == [
        "/a/image_raw",
        "/b/image_raw",
    ]
    node.destroy_node()


def test_a_topic_of_depth_asks_for_places(launch, robot, tmp_path):
    launch("namespace:=robot", "depth:=/registered/image_raw")
    robot.wait_for_report(state="active")
    arguments = (tmp_path / "arguments").read_text().splitlines()
    node = Node("dmmi", cli_args=arguments, automatically_declare_parameters_from_overrides=True)
    assert node.get_parameter("depth").value is True
    assert node.resolve_topic_name("depth") == "/registered/image_raw"
    node.destroy_node()


@pytest.mark.parametrize("cameras", ["front", "front=", "front:=/a", "=/a"])
def test_cameras_without_topics_are_refused(launch, cameras):
    process = launch(f"cameras:={cameras}")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cameras must be like 'front=/front/image_raw left=/left/image_raw'" in said


def test_cameras_of_one_name_are_refused(launch):
    process = launch("cameras:=front=/a front=/b")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cameras must have names of their own, not those of 'front=/a front=/b'" in said


@pytest.mark.parametrize("text", ['the "two" cups: 5 % \\ {red}', "the red boxes\nthe green box", "ñ", "007"])
def test_a_first_command_holds_over_a_crash(launch, robot, text):
    process = launch("namespace:=robot", "use_respawn:=true", f"text:={text}")
    robot.wait_for_report(state="active", command=text)
    line = next(line for line in process.stdout if "started with pid" in line)
    os.kill(int(line.split("pid [")[1].rstrip("]\n")), signal.SIGKILL)
    assert next(line for line in process.stdout if "started with pid" in line)
    robot.clear()
    robot.wait_for_report(state="active", command=text)


def test_the_demo_shows_pictures_to_the_node(launch, robot, scene, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "scene.png"), scene.image[..., ::-1])
    launch("namespace:=robot", "image:=shown", f"source:={pictures}", file="demo")
    robot.wait_for_report(state="active")
    robot.command("the red boxes")
    robot.wait_for(lambda: robot.segmentations, "answer")
    assert_finds(robot.segmentations[0], scene.masks["red"])


def test_the_demo_without_pictures_takes_the_camera_there_is(launch, robot, scene):
    launch("namespace:=robot", file="demo")
    robot.wait_until_active()
    assert robot.count_publishers("image") == 1  # the test's own
    robot.command("the red boxes")
    assert_finds(robot.answer_to(robot.send(scene.image)), scene.masks["red"])


@pytest.mark.parametrize(("pushed", "namespace"), [("", "robot"), ("robot", ""), ("", "/robot/")])
def test_a_bag_plays_once_the_node_is_active(launch, robot, call_of, tmp_path, pushed, namespace):
    state = tmp_path / "state of robot dmmi"
    state.write_text("inactive [2]")
    launch(f"namespace:={namespace}", "bag:=kitchen", "rate:=2.0", file="replay", pushed=pushed)
    robot.wait_for_report(state="active")
    assert not (tmp_path / "ros2 bag").exists()
    state.write_text("active [3]")
    call = call_of("ros2 bag")
    assert call["arguments"] == ["bag", "play", "kitchen", "--clock", "--rate", "2.0"]
    profile = str(ROOT / "config" / "fastdds_images.xml")
    assert call["environment"]["FASTDDS_DEFAULT_PROFILES_FILE"] == profile
    robot.wait_for(lambda: robot.count_subscribers("/clock"), "node that goes by the bag's clock")


def test_a_replay_without_an_active_node_says_what_it_waits_for(launch, robot, tmp_path):
    copy = Path(copytree(ROOT / "launch", tmp_path / "launch"))
    (tmp_path / "config").symlink_to(ROOT / "config")
    file = copy / "replay.launch.py"
    file.write_text(re.sub("PATIENCE_S = .*", "PATIENCE_S = 0.1", file.read_text()))
    (tmp_path / "state of robot dmmi").write_text("unconfigured [1]")
    process = launch("namespace:=robot", "bag:=kitchen", file=copy / "replay")
    said = "The bag waits for /robot/dmmi to be active; if it never is, its log says why"
    assert any(said in line for line in process.stdout)


def test_a_replay_ends_with_its_node(launch, robot, tmp_path):
    (tmp_path / "state of robot dmmi").write_text("unconfigured [1]")
    process = launch("namespace:=robot", "bag:=kitchen", file="replay")
    robot.wait_for_report(state="active")
    line = next(line for line in process.stdout if "dmmi_node" in line and "started with pid" in line)
    os.kill(int(line.split("pid [")[1].rstrip("]\n")), signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert "/robot/dmmi has ended" in said


def test_ctrl_c_ends_a_replay_in_order(launch, robot, call_of, tmp_path):
    (tmp_path / "state of robot dmmi").write_text("active [3]")
    process = launch("bag:=kitchen", "namespace:=robot", file="replay")
    robot.wait_for_report(state="active")
    call_of("ros2 bag")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said and "RuntimeError" not in said


def test_a_replay_needs_a_bag(launch):
    process = launch(file="replay")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "bag" in said


def test_viewers(launch, call_of):
    viewers = ("rviz:=true", "foxglove:=true", "fixed_frame:=base_link")
    launch("namespace:=robot", "image:=/camera", *viewers, file="demo")
    rviz = call_of("rviz2 -d")["arguments"]
    assert rviz[1:4] == [str(ROOT / "config" / "dmmi.rviz"), "-f", "base_link"]
    assert {"__ns:=/robot", "/image:=/camera", "/dmmi/overlay:=dmmi/overlay"} <= set(rviz)
    assert call_of("foxglove_bridge --ros-args")
