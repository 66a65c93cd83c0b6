"""The image publisher, a substitute for a camera."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from dmmi_core.errors import InputError
from dmmi_ros.image_publisher import read_frames


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two images of one colour each, and a text file."""
    for name, colour in (("b.jpg", (0, 0, 255)), ("a.png", (255, 0, 0))):
        cv2.imwrite(str(tmp_path / name), np.full((8, 10, 3), colour, np.uint8))
    (tmp_path / "notes.txt").touch()
    return tmp_path


def colours(frames) -> list[tuple]:
    return [tuple(int(value) for value in np.median(frame, axis=(0, 1))) for frame in frames]


def test_each_picture_of_a_folder_is_held(folder):
    blue, red = (0, 0, 255), (254, 0, 0)  # JPEG rounds
    assert colours(read_frames(folder, repeats=2)) == [blue, blue, red, red]


def test_a_single_picture(folder):
    assert colours(read_frames(folder / "a.png", repeats=1)) == [(0, 0, 255)]


def test_each_frame_of_a_video_is_shown_once(tmp_path):
    path = str(tmp_path / "clip.avi")
    video = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 16))
    for level in (40, 120, 200):
        video.write(np.full((16, 32, 3), level, np.uint8))
    video.release()
    frames = list(read_frames(tmp_path / "clip.avi", repeats=5))
    assert [frame.shape for frame in frames] == [(16, 32, 3)] * 3
    np.testing.assert_allclose([frame.mean() for frame in frames], [40, 120, 200], atol=2)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere", "no such picture"),
        ("empty", "no pictures in folder"),
        ("broken.png", "not an image that can be read"),
        ("notes.txt", "not a video that can be read"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(folder, name, complaint):
    (folder / "empty").mkdir()
    (folder / "broken.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match=complaint):
        list(read_frames(folder / name, repeats=1))


def test_the_program_says_what_is_wrong(ros, tmp_path):
    program = "import sys; from dmmi_ros.image_publisher import main; sys.exit(main(sys.argv))"
    command = [sys.executable, "-c", program, "--ros-args", "-p", f"source:={tmp_path}"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith(f"dmmi_player: no pictures in folder {tmp_path}; known are .jpg, ")
    assert len(run.stderr.splitlines()) == 1
