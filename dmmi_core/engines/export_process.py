"""Runs the export in a child process: its memory goes with it, and it can be stopped at once.

    python -m dmmi_core.engines.export_process MODEL_FOLDER

The child prints a JSON object a line: {"stage": "..."} as it goes, then {"found": {...}} or {"error": "..."}.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from dmmi_core.errors import ModelError, describe

logger = logging.getLogger(__name__)
OnProgress = Callable[[str], None]
TICK_S = 0.5
"""Seconds between two reports of progress."""
LOG_S = 5.0
"""Seconds between two lines of the log."""


class ExportError(ModelError):
    """The export ended with an error."""


def export_in_child(folder: Path, on_progress: OnProgress | None = None) -> dict[str, float]:
    """Write the graphs of the model in `folder` beside its weights, as `export` does.

    Calls `on_progress` with a line of progress twice a second; an exception from it ends the child. Returns
    the disagreement with PyTorch by "engine:precision". Raises ExportError.
    """
    command = [sys.executable, "-m", __spec__.name, str(folder)]
    # In a session of its own, Ctrl-C in a terminal reaches only this process, which then ends the child.
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        return _follow(child, on_progress or _Log())
    finally:
        # Not `with child`: closing its output would wait for processes that it may have started.
        child.kill()
        child.wait()
        if child.stdin:
            child.stdin.close()


class _Log:
    """Logs the first line of progress, and then one every few seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() >= self._next:
            logger.info("%s", line)
            self._next = time.monotonic() + LOG_S


def _follow(child: subprocess.Popen, on_progress: OnProgress) -> dict[str, float]:
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read_lines, args=(child.stdout, lines), daemon=True).start()
    start, stage = time.monotonic(), "starting"
    while True:
        seconds = time.monotonic() - start
        on_progress(f"exporting the model, once, about a minute: {stage}, {seconds:.0f} s so far")
        try:
            line = lines.get(timeout=TICK_S)
        except Empty:
            continue
        message: dict = json.loads(line) if line else {"error": f"it ended with status {child.wait()}"}
        if "found" in message:
            return message["found"]
        if "error" in message:
            raise ExportError(f"the export failed: {message['error']}")
        stage = message["stage"]


def _read_lines(stream: IO[str], lines: SimpleQueue[str]) -> None:
    """Put each line of `stream` into `lines`, and an empty one at its end; then close it."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put("")


def main(folder: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from dmmi_core.engines.export import export

    try:
        answer: dict = {"found": export(Path(folder), lambda stage: _say({"stage": stage}))}
    except Exception as error:  # exporters and compilers raise classes of their own
        answer = {"error": describe(error)}
    _say(answer)


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)


def _end_with_parent() -> None:
    """End this process once its parent has closed the pipe to it, also by being killed."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(), whose lock would be held in forked processes
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
