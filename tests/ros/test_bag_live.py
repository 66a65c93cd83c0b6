"""`dmmi-bag evaluate --live`: a bag is played to a real node with a tiny model."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from scenes import make_scene

from dmmi_ros.bag import main

FRAMES = 6


@pytest.fixture
def bag(tmp_path):
    """Half a second each of the scene, shifted a little further in every frame."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(FRAMES):
        picture = np.roll(make_scene().image, 5 * number, axis=1)
        cv2.imwrite(str(folder / f"{number}.png"), picture[..., ::-1])
    return folder


def run(*arguments) -> subprocess.CompletedProcess:
    """In a process of its own: it takes a ROS domain of its own too."""
    command = [sys.executable, "-m", "dmmi_ros.bag", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])


def answers(path: Path) -> dict[int, tuple]:
    """Of each frame, by the time of its recording."""
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
    for time, (command, status, presence, *rest) in heard.items():
        assert (command, status, *rest) == (expected[time][0], expected[time][1], *expected[time][3:])
        assert presence == pytest.approx(expected[time][2], abs=1e-4)


def test_a_model_that_is_not_there(tmp_path, bag):
    recording, commands = tmp_path / "recording", tmp_path / "commands.jsonl"
    assert main(["make", str(bag), str(recording)]) == 0
    commands.write_text('{"at": 0, "command": "the dog"}\n')
    said = run("evaluate", recording, "--commands", commands, "--model", "nothing", "--live")
    assert (said.returncode, said.stdout) == (2, "")
    (line,) = said.stderr.splitlines()
    assert line.startswith("dmmi-bag: cannot configure: no model 'nothing'")
