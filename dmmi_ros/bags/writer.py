"""New bags, of results or of images."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys.store import Typestore

from dmmi_core.errors import InputError, one_line
from dmmi_core.result import Status
from dmmi_ros.bags.outcomes import Outcome
from dmmi_ros.bags.typestore import make_typestore
from dmmi_ros.conversion.messages import MessageBuilder

STORAGES = {"sqlite3": StoragePlugin.SQLITE3, "mcap": StoragePlugin.MCAP}
COMPRESSION = {"sqlite3": CompressionMode.MESSAGE, "mcap": CompressionMode.STORAGE}
"""Of chunks where the storage can: viewers read that too, and small messages shrink more together."""


class BagWriter:
    """Writes messages of `typestore`; a topic is created with its first message."""

    def __init__(self, writer: Writer, typestore: Typestore):
        self.typestore = typestore
        self._writer = writer
        self._connections: dict[str, Connection] = {}

    def write(self, topic: str, message: Any, *, time: int) -> None:
        """Write a message; `time` of recording is in nanoseconds. Raises `InputError`, as for a full disk."""
        type_ = message.__msgtype__
        data = self.typestore.serialize_cdr(message, type_)
        with _named(self._writer.path):
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(topic, type_, typestore=self.typestore)
            self._writer.write(self._connections[topic], time, data)


@contextmanager
def new_bag(path: Path, *, storage: str, compress: bool = False) -> Iterator[BagWriter]:
    """Create a bag folder and remove it again if the block or the writing fails. Raises `InputError`.

    With `compress`, its content is compressed by zstd.
    """
    try:
        writer = Writer(path, version=9, storage_plugin=STORAGES[storage])
    except WriterError as error:
        raise InputError(f"{path} exists already: choose another name for the bag") from error
    if compress:
        writer.set_compression(COMPRESSION[storage], CompressionFormat.ZSTD)
    try:
        with _named(path):
            writer.open()
        yield BagWriter(writer, make_typestore())
        with _named(path):
            writer.close()
    except BaseException:
        with suppress(Exception):  # a full disk fails again
            writer.close()
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn errors in writing the bag at `path` into `InputError`."""
    try:
        yield
    except (WriterError, OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"cannot write {path}: {reason}") from error


class ResultWriter:
    """Writes results as the node would publish them, with the headers and times of their frames.

    The topics are those of the node; with several image topics, each has its own below /dmmi.
    """

    def __init__(self, bag: BagWriter, topics: list[str]):
        self._bag = bag
        self._messages = MessageBuilder.for_rosbags(bag.typestore)
        self._prefixes = {topic: f"/dmmi{topic}" if len(topics) > 1 else "/dmmi" for topic in topics}

    def add(self, outcome: Outcome) -> None:
        """Write the messages of a result, if there is one."""
        result, frame, request = outcome.result, outcome.frame, outcome.request
        if result is None or request is None:
            return
        prefix, header = self._prefixes[frame.topic], frame.message.header
        of_command = {"header": header, "command_id": request.command_id}
        messages = {
            "segmentation": self._messages.segmentation(result, **of_command),
            "labels": self._messages.labels(result, header=header),
        }
        if result.status == Status.NO_TARGET:
            messages["no_target"] = self._messages.no_target(result, **of_command)
        for name, message in messages.items():
            self._bag.write(f"{prefix}/{name}", message, time=frame.time)
