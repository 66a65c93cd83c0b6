"""The last command of a node, kept in a file, so that the node goes on with it after a restart."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from dmmi_core.errors import InputError, one_line
from dmmi_core.files import replaced_file


@dataclass(frozen=True)
class KeptCommand:
    """A command as it is kept; `text` is empty if the command was cancelled."""

    text: str
    first: str
    """The parameter `text` at that time: another one is newer than this command."""
    time: float
    """When the command came, in seconds since 1970."""

    @property
    def age(self) -> float:
        """Seconds since the command came; 0 if the clock was set back meanwhile."""
        return max(0.0, time.time() - self.time)


class CommandFile:
    """The file of the node with this full name, such as ~/.ros/dmmi/robot.dmmi.json for /robot/dmmi."""

    def __init__(self, node_name: str):
        home = Path(os.environ.get("ROS_HOME") or Path.home() / ".ros")
        self.path = home / "dmmi" / f"{node_name.strip('/').replace('/', '.')}.json"

    def read(self) -> KeptCommand | None:
        """Return what is kept, if anything. Raises `InputError` if the file is damaged."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            kept = KeptCommand(text=stored["text"], first=stored["first"], time=float(stored["time"]))
            if not isinstance(kept.text, str) or not isinstance(kept.first, str):
                raise TypeError("a text is expected")
            kept.text.encode()  # half a surrogate pair could not be published
            return kept
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"the kept command is ignored, as {self.path} cannot be read: {one_line(error)}"
            ) from error

    def write(self, kept: KeptCommand) -> None:
        """Keep a command, atomically. Raises `InputError` if the file cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replaced_file(self.path) as new:
                new.write_text(json.dumps(asdict(kept)), encoding="utf-8")
        except OSError as error:
            raise InputError(f"the command cannot be kept in {self.path}: {one_line(error)}") from error

    def remove(self) -> None:
        """Keep nothing any more. Raises `InputError` if the file cannot be removed."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"the kept command {self.path} cannot be removed: {one_line(error)}") from error
