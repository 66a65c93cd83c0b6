"""Camera frames of a rosbag2."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from dmmi_core.errors import InputError, one_line
from dmmi_ros.bags.typestore import make_typestore, nanoseconds
from dmmi_ros.conversion.decoding import to_rgb

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


@dataclass(frozen=True)
class RecordedFrame:
    """An image message of a bag: `time` of recording in nanoseconds, `raw` the serialised message."""

    topic: str
    type: str
    time: int
    raw: bytes
    message: Any
    """The deserialised message; None if `raw` is broken."""

    @property
    def stamp(self) -> int | None:
        """The stamp of the header in nanoseconds; None if the message is broken."""
        return None if self.message is None else nanoseconds(self.message.header.stamp)

    def image(self) -> np.ndarray:
        """Return the image, uint8 RGB (H, W, 3). Raises `InputError`."""
        if self.message is None:
            raise InputError(f"the message of {len(self.raw)} bytes is no {self.type}")
        return to_rgb(self.message)


class Bag:
    """A rosbag2, as a folder or a file, that is open until the end of a `with` block."""

    def __init__(self, path: Path):
        """Open the bag. Raises `InputError`."""
        self.path = path
        if path.suffix == ".bag" and path.is_dir():  # rosbags takes it for ROS 1
            raise InputError(f"{path} is a folder with the name of a bag of ROS 1: rename it")
        if path.suffix == ".bag":
            raise InputError(f"{path} is a bag of ROS 1: convert it first, with rosbags-convert")
        if not path.is_file() and not (path / "metadata.yaml").is_file():
            raise InputError(
                f"no bag {path}: give a rosbag2 folder, which holds a metadata.yaml, or its file; "
                "`ros2 bag reindex` makes a metadata.yaml that was lost"
            )
        try:
            self._reader = AnyReader([path], default_typestore=make_typestore())
            self._reader.open()
        except Exception as error:  # YAML, SQLite, MCAP and rosbags raise their own types
            raise InputError(
                f"cannot read the bag {path}: {one_line(error).rstrip('.')}; if its recording was cut off, "
                "try `mcap recover` on its file, or `ros2 bag reindex`"
            ) from error
        self.start = self._reader.start_time
        """Time of recording of the first message, in nanoseconds."""
        self._images = [c for c in self._reader.connections if c.msgtype in (IMAGE, COMPRESSED)]
        self.image_topics = sorted({connection.topic for connection in self._images})

    def __enter__(self) -> "Bag":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._reader.close()

    def choose(self, topics: Sequence[str], *, besides: str | None = None) -> list[str]:
        """Return `topics` without duplicates, or the only image topic except `besides` if there are none.

        Raises `InputError` for a topic without images.
        """
        if not self.image_topics:
            raise InputError(f"the bag {self.path} has no images")
        for topic in topics:
            if topic not in self.image_topics:
                raise InputError(f"no images on {topic!r}; image topics: {', '.join(self.image_topics)}")
        if topics:
            return list(dict.fromkeys(topics))
        found = [topic for topic in self.image_topics if topic != besides]
        if len(found) != 1:
            raise InputError(f"choose with --topic; image topics: {', '.join(self.image_topics)}")
        return found

    def type_of(self, topic: str) -> str:
        """Return the message type of an image topic."""
        return next(connection.msgtype for connection in self._images if connection.topic == topic)

    def frames(self, topics: Sequence[str]) -> Iterator[RecordedFrame]:
        """Yield the frames in the order of recording. Raises `InputError` if the storage is damaged."""
        messages = self._reader.messages([c for c in self._images if c.topic in topics])
        while True:
            try:
                connection, time, raw = next(messages)
            except StopIteration:
                return
            except Exception as error:
                raise InputError(f"the bag {self.path} is damaged: {one_line(error)}") from error
            yield RecordedFrame(
                connection.topic, connection.msgtype, time, bytes(raw), self._message(raw, connection)
            )

    def _message(self, raw: bytes, connection: Connection) -> Any:
        try:
            return self._reader.deserialize(raw, connection.msgtype)
        except Exception:  # NumPy, struct and rosbags raise many types for a broken message
            return None
