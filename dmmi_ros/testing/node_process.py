"""A node in a child process and a ROS domain of its own."""

import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from dmmi_core.shipped_files import shared

DOMAINS = range(1, 102)
"""Domain ids whose ports lie below the ephemeral ports of Linux."""


class Domain:
    """Reserves a ROS domain id among the programs that use this class, until the process ends."""

    def __init__(self) -> None:
        for self.id in DOMAINS:
            self._lock = _locked(Path(tempfile.gettempdir()) / f"dmmi-ros-domain-{self.id}.lock")
            if self._lock is not None:
                return
        raise RuntimeError("no ROS domain id is free: are other programs still running?")

    def environment(self) -> dict[str, str]:
        """Return the environment variables that programs in this domain need, including this process."""
        return {
            "ROS_DOMAIN_ID": str(self.id),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "FASTDDS_DEFAULT_PROFILES_FILE": str(shared("config", "fastdds_images.xml")),
        }


class NodeProcess:
    """Runs `command` until `stop` or the end of the `with` block."""

    def __init__(
        self, command: Sequence[str | Path], *, environment: dict[str, str], output: IO[str] | None = None
    ):
        # In a new session, so that Ctrl-C in a terminal reaches only the parent, which stops this process.
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )

    def __enter__(self) -> "NodeProcess":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        self._process.send_signal(number)

    def wait(self, *, timeout: float = 20.0) -> int:
        """Wait for the end, kill the process after `timeout` seconds, and return the exit status."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def stop(self) -> int:
        """Send SIGINT, wait, and return the exit status."""
        self.send_signal(signal.SIGINT)
        return self.wait()


def _locked(path: Path) -> IO[str] | None:
    """Return the file, open and locked, or None if another process holds the lock."""
    try:
        file = path.open("w")
    except OSError:  # it belongs to another user
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
