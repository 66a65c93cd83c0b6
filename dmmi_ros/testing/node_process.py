"""A node in a process and a ROS domain of its own: for demonstrations, measurements and tests."""

import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from dmmi_core.resources import shared

DOMAINS = range(1, 102)
"""Domain ids whose ports lie below those that Linux hands out at random."""


class Domain:
    """Holds a ROS domain id against all others who ask here; freed with the process at the latest."""

    def __init__(self):
        for self.id in DOMAINS:
            self._lock = _locked(Path(tempfile.gettempdir()) / f"dmmi-ros-domain-{self.id}.lock")
            if self._lock is not None:
                return
        raise RuntimeError("no ROS domain id is free: are other programs still running?")

    def environment(self) -> dict[str, str]:
        """What programs of this domain need in their environment, this one among them."""
        return {
            "ROS_DOMAIN_ID": str(self.id),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "FASTDDS_DEFAULT_PROFILES_FILE": str(shared("config", "fastdds_images.xml")),
        }


class NodeProcess:
    """Runs `command` until `stop` or the end of the `with` block, whatever ends that."""

    def __init__(
        self, command: Sequence[str | Path], *, environment: dict[str, str], output: IO | None = None
    ):
        # A session of its own: Ctrl-C in a terminal reaches only the program that stops this one in order.
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )

    def __enter__(self) -> "NodeProcess":
        return self

    def __exit__(self, *_exception) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, *, timeout: float = 20.0) -> int:
        """The exit status, once it ends by itself; kills what has not ended after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def stop(self) -> int:
        """Sends SIGINT, which is nothing to a process that has ended, and waits."""
        self.send_signal(signal.SIGINT)
        return self.wait()


def _locked(path: Path) -> IO | None:
    """The file, open and locked; None if another process has it."""
    try:
        file = path.open("w")
    except OSError:  # another user's
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
