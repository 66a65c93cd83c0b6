"""The programs of this package; SIGINT and SIGTERM end them with status 0 even while they are imported."""

import os
import signal
from importlib import import_module


def dmmi_node() -> int:
    """Run the lifecycle node; return the exit status."""
    return run("dmmi_ros.node")


def dmmi_player() -> int:
    """Publish images as a camera does; return the exit status."""
    return run("dmmi_ros.image_publisher")


def run(module: str) -> int:
    """Import a module, which takes a second, and return the result of its `main`.

    `main` installs handlers of its own. Without these, Ctrl-C during the import is a traceback.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    return import_module(module).main()
