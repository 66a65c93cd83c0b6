"""The parent of the export's process: what it does when the child ends, lingers or is no longer wanted."""

import os
import signal

import pytest

from dmmi_core.engines import export_process
from dmmi_core.engines.export_process import ExportError, export_in_child


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Return a function that puts a shell script in place of the child."""

    def write(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(export_process.sys, "executable", str(path))

    return write


@pytest.mark.timeout(20)
def test_a_process_that_the_child_leaves_behind_is_not_waited_for(child, tmp_path):
    child("""sleep 60 & echo $! > "$3.pid"; echo '{"found": {"onnx:fp32": 0.5}}'""")
    try:
        assert export_in_child(tmp_path / "model") == {"onnx:fp32": 0.5}
    finally:
        os.kill(int((tmp_path / "model.pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("script", "said"),
    [("exit 3", "it ended with status 3"), ("""echo '{"error": "no memory"}'""", "no memory")],
)
def test_a_child_that_fails(child, tmp_path, script, said):
    child(script)
    with pytest.raises(ExportError, match=f"the export failed: {said}"):
        export_in_child(tmp_path)


@pytest.mark.timeout(20)
def test_an_error_of_the_callback_ends_the_child(child, tmp_path):
    child("exec sleep 60")

    def stop(line: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        export_in_child(tmp_path, stop)


def test_ctrl_c_in_a_terminal_does_not_reach_the_child(child, tmp_path):
    child("""echo "{\\"found\\": {\\"group\\": $(cut -d' ' -f5 /proc/$$/stat)}}\"""")
    assert export_in_child(tmp_path)["group"] != os.getpgrp()
