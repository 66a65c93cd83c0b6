"""Timed commands, read from a file."""

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmmi_core.data.jsonl import read_lines
from dmmi_core.errors import InputError
from dmmi_ros.commands import MAX_REQUESTS, requests_in

MAX_SECONDS = 1e9
"""No bag takes thirty years."""


@dataclass(frozen=True)
class Request:
    """One line of a command; `command_id` counts the commands of a schedule from 1, as the node does."""

    command_id: int
    text: str
    since: int
    """Id of the first command of an unbroken series that all have this line."""


@dataclass(frozen=True)
class ScheduledCommand:
    """A command given `at` nanoseconds after the start of the bag; without requests it cancels."""

    at: int
    requests: tuple[Request, ...]

    @property
    def text(self) -> str:
        """The requests, one a line."""
        return "\n".join(request.text for request in self.requests)


class CommandSchedule:
    """Commands in the order of time."""

    def __init__(self, commands: list[ScheduledCommand]):
        self.commands = tuple(commands)
        self._times = [command.at for command in commands]

    @property
    def texts(self) -> list[str]:
        """The texts of all requests, without duplicates."""
        return list(dict.fromkeys(request.text for command in self.commands for request in command.requests))

    def at(self, elapsed: int) -> ScheduledCommand | None:
        """Return the command that holds `elapsed` nanoseconds after the start; None before the first."""
        index = bisect_right(self._times, elapsed)
        return self.commands[index - 1] if index else None


def read_schedule(path: Path) -> CommandSchedule:
    """Read a file of commands. Raises `InputError` that names the file and the line of the first mistake."""
    commands: list[ScheduledCommand] = []
    count = 0

    def add(entry: Any) -> None:
        nonlocal count
        at, texts = _parse(entry)
        if commands and at <= commands[-1].at:
            raise InputError('"at" must be later than on the line before')
        count += bool(texts)
        since = {request.text: request.since for request in commands[-1].requests} if commands else {}
        requests = tuple(Request(count, text, since.get(text, count)) for text in texts)
        commands.append(ScheduledCommand(at, requests))

    read_lines(path, add)
    if not count:
        raise InputError(f"{path} has no commands")
    return CommandSchedule(commands)


def _parse(entry: Any) -> tuple[int, tuple[str, ...]]:
    """Return the time of a command in nanoseconds, and its requests."""
    if not isinstance(entry, dict) or entry.keys() != {"at", "command"}:
        raise InputError('a command is {"at": SECONDS, "command": TEXT}')
    at, command = entry["at"], entry["command"]
    if type(at) not in (int, float) or not 0 <= at < MAX_SECONDS:
        raise InputError(f'"at" must be seconds since the start of the bag, not {at!r}')
    if not isinstance(command, str):
        raise InputError(f'"command" must be a text, not {command!r}')
    try:
        command.encode()
    except UnicodeEncodeError as error:
        raise InputError(f'"command" has half a character, {error.object[error.start]!r}') from error
    texts = requests_in(command)
    if len(texts) > MAX_REQUESTS:
        raise InputError(f'"command" has {len(texts)} requests; the node answers {MAX_REQUESTS}')
    return round(at * 1e9), texts
