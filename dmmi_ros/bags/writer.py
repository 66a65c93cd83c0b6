"""New bags: of results, and of pictures."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys.store import Typestore

from dmmi_core.errors import InputError, one_line
from dmmi_core.result import Status
from dmmi_ros.bags.outcomes import Answer
from dmmi_ros.bags.typestore import make_typestore
from dmmi_ros.conversion.messages import MessageBuilder

STORAGES = {"sqlite3": StoragePlugin.SQLITE3, "mcap": StoragePlugin.MCAP}


class BagWriter:
    """Writes messages of `typestore` to topics, which come to be with their first message.

    What writes raises `InputError`, such as where the disk is full.
    """

    def __init__(self, writer: Writer, typestore: Typestore):
        self.typestore = typestore
        self._writer = writer
        self._connections = {}

    def write(self, topic: str, message, *, time: int) -> None:
        """`time` of recording, in nanoseconds."""
        type_ = message.__msgtype__
        data = self.typestore.serialize_cdr(message, type_)
        with _named(self._writer.path):
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(topic, type_, typestore=self.typestore)
            self._writer.write(self._connections[topic], time, data)


@contextmanager
def new_bag(path: Path, *, storage: str) -> Iterator[BagWriter]:
    """A bag folder to fill; removed where the block fails, or the writing. Raises `InputError`."""
    try:
        writer = Writer(path, version=9, storage_plugin=STORAGES[storage])
    except WriterError as error:
        raise InputError(f"{path} exists already: choose another name for the bag") from error
    try:
        with _named(path):
            writer.open()
        yield BagWriter(writer, make_typestore())
        with _named(path):
            writer.close()
    except BaseException:
        with suppress(Exception):  # of a full disk, once more
            writer.close()
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What goes wrong with the bag at `path`, as `InputError`."""
    try:
        yield
    except (WriterError, OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"cannot write {path}: {reason}") from error


class ResultWriter:
    """Writes answers as the node would publish them, with the headers and times of their frames.

    The topics are the node's; of several cameras each has its own below /dmmi.
    """

    def __init__(self, bag: BagWriter, topics: list[str]):
        self._bag = bag
        self._messages = MessageBuilder.for_rosbags(bag.typestore)
        self._prefixes = {topic: f"/dmmi{topic}" if len(topics) > 1 else "/dmmi" for topic in topics}

    def add(self, answer: Answer) -> None:
        result, frame = answer.result, answer.frame
        if result is None:
            return
        prefix, header = self._prefixes[frame.topic], frame.message.header
        of_command = {"header": header, "command_id": answer.request.command_id}
        messages = {
            "segmentation": self._messages.segmentation(result, **of_command),
            "labels": self._messages.labels(result, header=header),
        }
        if result.status == Status.NO_TARGET:
            messages["no_target"] = self._messages.no_target(result, **of_command)
        for name, message in messages.items():
            self._bag.write(f"{prefix}/{name}", message, time=frame.time)
