"""The demo with a stand-in for the model; it ends by itself and takes the node with it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from helpers.paths import ROOT, STUB_NODE

pytestmark = pytest.mark.timeout(120)
DEMO = ROOT / "demo"
pytest.importorskip("skimage", reason="the photographs are in scikit-image")


def start_demo(tmp_path: Path, *arguments: str, model: str | None = None) -> subprocess.Popen:
    """Start the demo with a node that is recognised by `tmp_path` on its command line."""
    node = [sys.executable, str(STUB_NODE), "--ros-args"]
    node += ["-p", "autostart:=true", "-p", f"model:={model or tmp_path}"]
    code = f"import sys, run; sys.exit(run.main({list(arguments)}, node={node}))"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_every_frame_is_answered_told_and_recorded(tmp_path):
    demo = start_demo(tmp_path, "--output", str(tmp_path), "--frames", "2")
    said, complaints = demo.communicate(timeout=100)
    assert (demo.returncode, complaints) == (0, "")
    records = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert len(records) >= 20
    assert said.count(" ms\n") == len(records)
    assert f"All {len(records)} frames were answered" in said
    assert str(tmp_path) in said
    for record in records:
        picture = cv2.imread(str(tmp_path / record["picture"]))
        assert picture.shape == (record["height"], record["width"], 3)
        assert picture.shape[0] >= 480
        assert picture.shape[1] >= 640
    assert len({record["picture"] for record in records}) == len(records) / 2


def test_a_node_that_cannot_start_is_one_clear_line(tmp_path):
    demo = start_demo(tmp_path, "--output", str(tmp_path), model="broken")
    _, complaints = demo.communicate(timeout=100)
    assert demo.returncode == 1
    assert len(complaints.splitlines()) == 1
    assert "cannot configure: no model 'broken' here" in complaints


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_it_ends_the_node(tmp_path, signal_number):
    demo = start_demo(tmp_path, "--output", str(tmp_path), "--frames", "100000")
    for line in demo.stdout:
        if line.startswith("cat "):
            break
    demo.send_signal(signal_number)
    demo.communicate(timeout=100)
    assert demo.returncode == 128 + signal_number
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [command for command in running if str(tmp_path).encode() in command]
