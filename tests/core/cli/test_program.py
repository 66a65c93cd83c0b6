"""How the programs end."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import argparse, signal, sys
from contextlib import contextmanager
from dmmi_core.cli.program import run_program, sigterm_as_exit

@contextmanager
def half_done():
    try:
        yield
    finally:
        print("undone", flush=True)

def run(arguments):
    with half_done():
        print("begun", flush=True)  # here, as the signal may come at once
        signal.pause()

parser = argparse.ArgumentParser()
parser.set_defaults(run=run)
with sigterm_as_exit():
    sys.exit(run_program(parser, []))
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_undoes_what_is_half_done(number, status):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout.readline() == "begun\n"
        program.send_signal(number)
        said, complaint = program.communicate(timeout=60)
    assert (program.returncode, said, complaint) == (status, "undone\n", "")
