"""`dmmi-bag` works without ROS and starts quickly."""

import subprocess
import sys
from pathlib import Path

import pytest

import dmmi_ros.bags

NEEDS_ROS = "node_session"
FOLDER = Path(dmmi_ros.bags.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(FOLDER).with_suffix("").parts)
    for path in FOLDER.rglob("*.py")
    if path.stem not in (NEEDS_ROS, "__init__")
)
ROS = ["rclpy", "sensor_msgs", "std_msgs", "dmmi"]


def loaded(code: str, names: list[str]) -> str:
    code += f"; import sys; print([name for name in {names} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_no_ros():
    modules = [f"dmmi_ros.bags.{name}" for name in MODULES]
    assert len(modules) > 10
    assert loaded(f"import dmmi_ros.bags.cli, {', '.join(modules)}", ROS) == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], ["evaluate", "--help"], ["make", "--help"]])
def test_help(arguments):
    code = f"from dmmi_ros.bags.cli import main\ntry: main({arguments})\nexcept SystemExit: pass\nimport os"
    said = loaded(code, [*ROS, "torch", "rosbags"])
    assert said.splitlines()[-1] == "[]"
    assert "dmmi-bag" in said
