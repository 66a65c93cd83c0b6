"""The programs that `ros2 run dmmi` starts after a colcon build."""

import re
import runpy
import shutil
import subprocess
import sys

import pytest

from helpers.paths import ROOT

PROGRAMS = re.search(r"foreach\(program (.*?)\)", (ROOT / "CMakeLists.txt").read_text())[1].split()


@pytest.fixture
def install(tmp_path):
    """Return a function that copies the script as CMakeLists.txt does."""

    def install(name: str):
        folder = tmp_path / "lib" / "dmmi"
        folder.mkdir(parents=True, exist_ok=True)
        return shutil.copy(ROOT / "scripts" / "dmmi_node", folder / name)

    return install


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_runs_the_module_of_its_console_script(install, monkeypatch, name):
    module = re.search(rf'"{name} = ([\w.]+):main"', (ROOT / "setup.py").read_text())[1]
    monkeypatch.setattr(f"{module}.main", lambda: f"main of {module}")
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(install(name)), run_name="__main__")
    assert raised.value.code == f"main of {module}"


def test_a_console_script_of_the_same_environment_comes_first(install, tmp_path):
    path = install("dmmi_node")
    console_script = tmp_path / "bin" / "dmmi_node"
    console_script.parent.mkdir()
    console_script.write_text('#!/bin/sh\necho "console script: $@"\n')
    console_script.chmod(0o755)
    run = subprocess.run([sys.executable, path, "--ros-args"], capture_output=True, text=True)
    assert run.stdout == "console script: --ros-args\n"
