"""Camera frames of a rosbag2."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dmmi_core.errors import InputError, one_line
from dmmi_ros.bags.storage.channel import Channel
from dmmi_ros.bags.storage.recording import METADATA, Recording
from dmmi_ros.bags.typestore import make_typestore, nanoseconds
from dmmi_ros.conversion.bit_depth import BitDepth
from dmmi_ros.conversion.decoding import to_rgb

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
ENCODING = "cdr"
"""The only encoding of messages that is read."""


@dataclass(frozen=True)
class RecordedFrame:
    """An image message of a bag: `time` of recording in nanoseconds, `raw` the serialised message."""

    topic: str
    type: str
    time: int
    raw: bytes
    message: Any
    """The deserialised message; None if `raw` is broken."""
    bit_depth: BitDepth = field(default_factory=BitDepth)
    """That of the topic's 16-bit images."""

    @property
    def stamp(self) -> int | None:
        """The stamp of the header in nanoseconds; None if the message is broken."""
        return None if self.message is None else nanoseconds(self.message.header.stamp)

    def image(self) -> np.ndarray:
        """Return the image, uint8 RGB (H, W, 3). Raises `InputError`."""
        if self.message is None:
            raise InputError(f"the message of {len(self.raw)} bytes is no {self.type}")
        return to_rgb(self.message, self.bit_depth)


class Bag:
    """A rosbag2, as a folder or a file, that is open until the end of a `with` block.

    Images have the types of ROS 2. The definitions in the bag are not read, so any may be broken or unknown.
    """

    def __init__(self, path: Path):
        """Open the bag. Raises `InputError`."""
        self.path = path
        if path.suffix == ".bag" and path.is_dir():  # rosbags takes it for ROS 1
            raise InputError(f"{path} is a folder with the name of a bag of ROS 1: rename it")
        if path.suffix == ".bag":
            raise InputError(f"{path} is a bag of ROS 1: convert it first, with rosbags-convert")
        if not path.is_file() and not (path / METADATA).is_file():
            raise InputError(
                f"no bag {path}: give a rosbag2 folder, which holds a metadata.yaml, or its file; "
                "`ros2 bag reindex` makes a metadata.yaml that was lost"
            )
        try:
            self._recording = Recording(path)
        except Exception as error:  # YAML, SQLite, struct and zstd raise their own types
            raise InputError(
                f"cannot read the bag {path}: {one_line(error).rstrip('.')}; if its recording was cut off, "
                "try `mcap recover` on its file, or `ros2 bag reindex`"
            ) from error
        self._typestore = make_typestore()
        self.start = self._recording.start
        """Time of recording of the first message, in nanoseconds."""
        self._images = [channel for channel in self._recording.channels if _has_images(channel)]
        self.image_topics = sorted({channel.topic for channel in self._images})

    def __enter__(self) -> "Bag":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._recording.close()

    def choose(self, topics: Sequence[str], *, besides: str | None = None) -> list[str]:
        """Return `topics` without duplicates, or the only image topic except `besides` if there are none.

        Raises `InputError` for a topic without images.
        """
        if not self.image_topics:
            raise InputError(f"the bag {self.path} has no images{self._foreign_images()}")
        for topic in topics:
            if topic not in self.image_topics:
                raise InputError(f"no images on {topic!r}; {self._choices()}")
        if topics:
            return list(dict.fromkeys(topics))
        found = [topic for topic in self.image_topics if topic != besides]
        if len(found) != 1:
            raise InputError(f"choose with --topic; {self._choices()}")
        return found

    def type_of(self, topic: str) -> str:
        """Return the message type of an image topic."""
        return next(channel.type for channel in self._images if channel.topic == topic)

    def skipped(self, topics: Sequence[str]) -> list[dict[str, str]]:
        """Return topic, type and encoding of all that is not read for the frames of `topics`."""
        rest = {
            (channel.topic, channel.type, channel.encoding)
            for channel in self._recording.channels
            if channel not in self._images or channel.topic not in topics
        }
        return [dict(zip(("topic", "type", "encoding"), names, strict=True)) for names in sorted(rest)]

    def frames(self, topics: Sequence[str]) -> Iterator[RecordedFrame]:
        """Yield the frames in the order of recording. Raises `InputError` if the storage is damaged."""
        messages = self._recording.messages([c for c in self._images if c.topic in topics])
        bit_depths = {topic: BitDepth() for topic in topics}
        while True:
            try:
                channel, time, raw = next(messages)
            except StopIteration:
                return
            except Exception as error:
                raise InputError(f"the bag {self.path} is damaged: {one_line(error)}") from error
            yield RecordedFrame(
                channel.topic,
                channel.type,
                time,
                raw,
                self._message(raw, channel.type),
                bit_depths[channel.topic],
            )

    def _message(self, raw: bytes, type_: str) -> Any:
        try:
            return self._typestore.deserialize_cdr(raw, type_)
        except Exception:  # NumPy, struct and rosbags raise many types for a broken message
            return None

    def _choices(self) -> str:
        return f"image topics: {', '.join(self.image_topics)}{self._foreign_images()}"

    def _foreign_images(self) -> str:
        """Return a remark on the images that cannot be read; empty if there are none."""
        images = [channel for channel in self._recording.channels if channel.type in (IMAGE, COMPRESSED)]
        foreign = {f"{channel.topic} ({channel.encoding})" for channel in images if not _has_images(channel)}
        return f"; not encoded as {ENCODING}: {', '.join(sorted(foreign))}" if foreign else ""


def _has_images(channel: Channel) -> bool:
    return channel.type in (IMAGE, COMPRESSED) and channel.encoding == ENCODING
