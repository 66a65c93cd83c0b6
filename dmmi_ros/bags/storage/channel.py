"""Channels, which the messages of a topic belong to, and the interface of the files that hold them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Channel:
    """Messages of one topic, type and encoding; `id` is that in its file."""

    id: int
    topic: str
    type: str
    encoding: str
    """The encoding of the messages; that of ROS 2 is "cdr"."""


class StorageFile(Protocol):
    """An open file of a bag."""

    channels: list[Channel]
    start: int | None
    """Time of recording of the first message in nanoseconds; None without messages."""

    def messages(self, ids: Collection[int]) -> Iterator[tuple[int, int, bytes]]:
        """Yield channel id, time of recording in nanoseconds and data, in the order of time."""

    def close(self) -> None:
        """Close the file."""
