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

from dmmi_core.errors import ModelError, describe

logger = logging.getLogger(__name__)
REPORT_S = 5.0
"""Seconds between two reports of progress."""


class ExportError(ModelError):
    """The export ended with an error."""


def export_in_child(folder: Path, report: Callable[[str], None] | None = None) -> dict[str, float]:
    """Write the graphs of the model in `folder` beside its weights, as `export` does.

    Calls `report` with a line of progress at each stage and every few seconds; by default it is logged.
    Returns the disagreement with PyTorch by "engine:precision". Raises ExportError.
    """
    report = report or (lambda line: logger.info("%s", line))
    command = [sys.executable, "-m", __spec__.name, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            return _follow(child, report)
        finally:
            child.kill()


def _follow(child: subprocess.Popen, report: Callable[[str], None]) -> dict[str, float]:
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read_lines, args=(child.stdout, lines), daemon=True).start()
    start, stage = time.monotonic(), "starting"
    while True:
        try:
            line = lines.get(timeout=REPORT_S)
        except Empty:
            report(f"exporting the model, {stage}: {time.monotonic() - start:.0f} s so far")
            continue
        message = json.loads(line) if line else {"error": f"it ended with status {child.wait()}"}
        if "found" in message:
            return message["found"]
        if "error" in message:
            raise ExportError(f"the export failed: {message['error']}")
        stage = message["stage"]
        report(f"exporting the model, {stage}; this is needed once and takes about a minute")


def _read_lines(stream, lines: SimpleQueue) -> None:
    """Put each line of `stream` into `lines`, and an empty one at its end."""
    for line in stream:
        lines.put(line)
    lines.put("")


def main(folder: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from dmmi_core.engines.export import export

    try:
        answer = {"found": export(Path(folder), lambda stage: _say({"stage": stage}))}
    except Exception as error:  # exporters and compilers raise classes of their own
        answer = {"error": describe(error)}
    _say(answer)


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)


def _end_with_parent() -> None:
    """End this process once its parent has closed the pipe to it, also by being killed."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
