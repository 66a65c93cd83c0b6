"""`dmmi-bag evaluate --live`: a bag is played to a real node with a tiny model."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Writer

from dmmi_ros.bags.cli import main
from dmmi_ros.bags.typestore import make_header, make_typestore
from dmmi_ros.testing.fake_segmenter import make_scene
from helpers.paths import ROOT

STORE = make_typestore()
FRAMES = 6


@pytest.fixture
def bag(tmp_path):
    """Return a folder of images of the scene, shifted further in every frame."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(FRAMES):
        picture = np.roll(make_scene().image, 5 * number, axis=1)
        cv2.imwrite(str(folder / f"{number}.png"), picture[..., ::-1])
    return folder


PROGRAM = "import sys; from dmmi_ros.bags.cli import main; sys.exit(main())"
PATIENT = f"import dmmi_ros.bags.node_session as session; session.RESULT_TIMEOUT_S = 1e9; {PROGRAM}"
"""The program without a time limit for results: it ends by the node's reports alone."""

TELLING = f"""
from dmmi_ros.testing.node_process import NodeProcess
is_alive = NodeProcess.is_alive.fget
NodeProcess.is_alive = property(lambda self: (print(self.pid, flush=True), is_alive(self))[1])
{PROGRAM}
"""
"""The program that prints the id of the node's process whenever it checks that it runs."""


def run(*arguments, program: str = PROGRAM) -> subprocess.CompletedProcess:
    """Run the program in its own process, as it takes a ROS domain of its own."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=250)


def answers(path: Path) -> dict[int, tuple]:
    """Return the messages of a bag by the time of recording."""
    with AnyReader([path]) as reader:
        found = [c for c in reader.connections if c.topic == "/dmmi/segmentation"]
        said = [(time, reader.deserialize(data, c.msgtype)) for c, time, data in reader.messages(found)]
    return {time: (m.command, m.status, m.presence, len(m.instances), m.header.stamp) for time, m in said}


@pytest.mark.parametrize("transport", [[], ["--compressed"]])
def test_live_answers_are_those_of_the_model(tmp_path, bag, model_folder, transport):
    recording, commands = tmp_path / "recording", tmp_path / "commands.jsonl"
    assert main(["make", str(bag), str(recording), "--rate", "4", *transport]) == 0
    schedule = [(0.25, "the dog"), (0.75, "two red cups")]  # frames are at 0, 0.25, ... 1.25
    commands.write_text("".join(json.dumps({"at": at, "command": text}) + "\n" for at, text in schedule))
    evaluate = ("evaluate", recording, "--commands", commands, "--model", model_folder, "--device", "cpu")
    assert main([*map(str, evaluate), "--output", str(tmp_path / "offline")]) == 0
    live = run(*evaluate, "--output", tmp_path / "live", "--live", "--rate", "0.5", "--json")
    assert (live.returncode, live.stderr) == (0, "")
    said = json.loads(live.stdout)
    assert said["mode"] == "live"
    assert [list(counts.values()) for counts in said["topics"].values()] == [[FRAMES, 1]]
    assert [(item["command"], item["frames"]) for item in said["commands"]] == [
        ("the dog", 2),
        ("two red cups", 3),
    ]
    for item in said["commands"]:  # how many depends on this machine
        assert item["answered"] + item["dropped"] == item["frames"]
    expected, heard = answers(tmp_path / "offline"), answers(tmp_path / "live")
    assert sum(item["answered"] for item in said["commands"]) == len(heard)
    assert max(heard) == max(expected)  # the last frame is never dropped
    for at, (command, status, presence, *rest) in heard.items():
        assert (command, status, *rest) == (expected[at][0], expected[at][1], *expected[at][3:])
        assert presence == pytest.approx(expected[at][2], abs=1e-4)


@pytest.fixture
def asking(tmp_path, model_folder):
    """Return arguments with one command for all frames."""
    commands = tmp_path / "commands.jsonl"
    commands.write_text('{"at": 0, "command": "the dog"}\n')
    return "--commands", commands, "--model", model_folder, "--device", "cpu"


def write_frames(path: Path, sides: list[int | None]) -> Path:
    """Write grey images of these sides, four per second, without stamps; None is a broken message."""
    image = STORE.types["sensor_msgs/msg/Image"]
    with Writer(path, version=9) as writer:
        connection = writer.add_connection("/image", image.__msgtype__, typestore=STORE)
        for number, side in enumerate(sides):
            data = b"xx"
            if side is not None:
                pixels = np.full(3 * side * side, 9, np.uint8)
                message = image(make_header(STORE, 0, ""), side, side, "rgb8", 0, 3 * side, pixels)
                data = STORE.serialize_cdr(message, image.__msgtype__)
            writer.write(connection, number * 10**9 // 4, data)
    return path


def test_frames_without_stamps_have_their_own_answers(tmp_path, asking):
    """Frames come all at once, so that some are dropped; each has a different size."""
    sides = [40 + 8 * number for number in range(20)]
    recording = write_frames(tmp_path / "recording", sides)
    live = run("evaluate", recording, *asking, "--output", tmp_path / "live", "--live", "--rate", "1000")
    assert (live.returncode, live.stderr) == (0, "")
    with AnyReader([tmp_path / "live"]) as reader:
        found = [c for c in reader.connections if c.topic == "/dmmi/segmentation"]
        said = [(time, reader.deserialize(data, c.msgtype)) for c, time, data in reader.messages(found)]
    assert said
    assert {m.header.stamp.sec for _, m in said} == {0}  # those of the recording
    assert [m.height for _, m in said] == [sides[time * 4 // 10**9] for time, _ in said]


@pytest.mark.parametrize("sides", [[64, None, 64, 0], [64, 0, 64, None]])
def test_it_ends_though_the_last_frame_is_broken(tmp_path, asking, sides):
    """Side 0 is a message without an image, which the node receives."""
    recording = write_frames(tmp_path / "recording", sides)
    live = run("evaluate", recording, *asking, "--live", "--json", program=PATIENT)
    assert (live.returncode, live.stderr) == (0, "")
    (said,) = json.loads(live.stdout)["commands"]
    assert (said["frames"], said["broken"]) == (4, 2)


def test_it_ends_though_frames_were_under_way_at_the_cancel(tmp_path, asking):
    recording, commands = write_frames(tmp_path / "recording", [64] * 8), tmp_path / "cancelled.jsonl"
    commands.write_text('{"at": 0, "command": "the dog"}\n{"at": 1.2, "command": ""}\n')
    asking = ("--commands", commands, *asking[2:])
    live = run("evaluate", recording, *asking, "--live", "--rate", "1000", "--json", program=PATIENT)
    assert (live.returncode, live.stderr) == (0, "")
    said = json.loads(live.stdout)
    assert said["commands"][0]["frames"] == 5
    assert said["topics"]["/image"] == {"frames": 8, "without_command": 3}


def test_sigterm_leaves_nothing(tmp_path, asking):
    recording, output = write_frames(tmp_path / "recording", [64] * 8), tmp_path / "answers"
    arguments = map(str, ("evaluate", recording, *asking, "--live", "--output", output))
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, *arguments], stdout=subprocess.PIPE, text=True
    ) as bag:
        node = int(bag.stdout.readline())
        assert output.is_dir()
        bag.send_signal(signal.SIGTERM)
        assert bag.wait(timeout=100) == 143
    assert not output.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(node, 0)


def test_a_model_that_is_not_there(tmp_path, bag):
    recording, commands = tmp_path / "recording", tmp_path / "commands.jsonl"
    assert main(["make", str(bag), str(recording)]) == 0
    commands.write_text('{"at": 0, "command": "the dog"}\n')
    said = run("evaluate", recording, "--commands", commands, "--model", "nothing", "--live")
    assert (said.returncode, said.stdout) == (2, "")
    (line,) = said.stderr.splitlines()
    assert line.startswith("dmmi-bag: cannot configure: no model 'nothing'")
