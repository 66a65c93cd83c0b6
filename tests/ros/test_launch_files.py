"""Static checks of the launch files, without a launch system."""

import ast
import re
from pathlib import Path

import pytest

from helpers.paths import ROOT

FILES = sorted((ROOT / "launch").glob("*.launch.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def calls(path: Path, name: str) -> list[ast.Call]:
    """Return the calls of a function of this name."""
    found = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
    return [call for call in found if isinstance(call.func, ast.Name) and call.func.id == name]


def declared(path: Path) -> set[str]:
    """Return the names of the arguments that a file declares."""
    names = {call.args[0].value for call in calls(path, "DeclareLaunchArgument") if is_text(call.args[0])}
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "ARGUMENTS":
            names |= {key.value for key in node.value.keys}
    return names


def decided(path: Path) -> set[str]:
    """Return the names that a file sets for files that include it."""
    return {call.args[0].value for call in calls(path, "SetLaunchConfiguration")}


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def used(path: Path) -> set[str]:
    return {call.args[0].value for call in calls(path, "LaunchConfiguration") if is_text(call.args[0])}


def test_the_arguments_that_users_rely_on():
    expected = {
        *("namespace", "use_sim_time", "autostart", "params_file", "use_respawn", "log_level"),
        "bond",
        *("model", "device", "engine", "precision"),
        *("image", "depth", "camera_info", "cameras", "command", "text"),
    }
    assert declared(ROOT / "launch" / "dmmi.launch.py") == expected
    assert declared(ROOT / "launch" / "demo.launch.py") == {"source", "rate", "hold"}
    assert declared(ROOT / "launch" / "replay.launch.py") == {"bag", "rate"}
    assert declared(ROOT / "launch" / "nav2.launch.py") == {"bond"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_used_is_declared(path):
    known = declared(path)
    if "IncludeLaunchDescription" in path.read_text():
        node, view = (ROOT / "launch" / f"{name}.launch.py" for name in ("dmmi", "view"))
        known |= declared(node) | decided(node) | declared(view)
    assert used(path) <= known


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_started_is_installed(path):
    cmake, setup = (ROOT / "CMakeLists.txt").read_text(), (ROOT / "setup.py").read_text()
    for call in calls(path, "Node") + calls(path, "LifecycleNode"):
        arguments = {keyword.arg: keyword.value for keyword in call.keywords}
        if arguments["package"].value == "dmmi":
            program = arguments["executable"].value
            assert re.search(rf"foreach\(program .*\b{program}\b", cmake)
            assert f'"{program}"' in setup


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_of_the_configuration_exist(path):
    for name in re.findall(r'CONFIG / "([^"]+)"', path.read_text()):
        assert (ROOT / "config" / name).is_file()
