"""Files of the sqlite3 storage."""

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

from dmmi_ros.bags.storage.channel import Channel


class SqliteFile:
    """A `StorageFile` of sqlite3; the columns that it reads are in every version of the format."""

    def __init__(self, path: Path):
        uri = f"{path.resolve().as_uri()}?immutable=1"  # needs no lock and leaves no files beside it
        self._database = sqlite3.connect(uri, uri=True)
        try:
            rows = self._database.execute("SELECT id, name, type, serialization_format FROM topics")
            self.channels = [Channel(*row) for row in rows]
            (self.start,) = self._database.execute("SELECT min(timestamp) FROM messages").fetchone()
        except BaseException:
            self.close()
            raise

    def messages(self, ids: Collection[int]) -> Iterator[tuple[int, int, bytes]]:
        """Yield channel id, time of recording in nanoseconds and data, in the order of time."""
        marks = ", ".join("?" for _ in ids)
        yield from self._database.execute(
            f"SELECT topic_id, timestamp, data FROM messages WHERE topic_id IN ({marks}) "
            "ORDER BY timestamp, id",
            tuple(ids),
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()
