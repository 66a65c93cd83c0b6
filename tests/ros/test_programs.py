"""The programs that `ros2 run dmmi` starts after a colcon build."""

import os
import re
import runpy
import shutil
import signal
import subprocess
import sys

import pytest

from dmmi_ros import programs
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
def test_each_program_runs_its_console_script(install, monkeypatch, name):
    monkeypatch.setattr(programs, name, lambda: f"the program {name}")
    with pytest.raises(SystemExit) as raised:
        runpy.run_path(str(install(name)), run_name="__main__")
    assert raised.value.code == f"the program {name}"


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_signal_during_the_imports_ends_a_program_in_order(tmp_path, number):
    (tmp_path / "slow.py").write_text("import signal\nprint('importing', flush=True)\nsignal.pause()\n")
    program = subprocess.Popen(
        [sys.executable, "-c", "import sys; from dmmi_ros.programs import run; sys.exit(run('slow'))"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout.readline() == "importing\n"
    program.send_signal(number)
    assert program.communicate(timeout=60) == ("", "")
    assert program.returncode == 0


def test_a_console_script_of_the_same_environment_comes_first(install, tmp_path):
    path = install("dmmi_node")
    console_script = tmp_path / "bin" / "dmmi_node"
    console_script.parent.mkdir()
    console_script.write_text('#!/bin/sh\necho "console script: $@"\n')
    console_script.chmod(0o755)
    run = subprocess.run([sys.executable, path, "--ros-args"], capture_output=True, text=True)
    assert run.stdout == "console script: --ros-args\n"
