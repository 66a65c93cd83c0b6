"""Files of the MCAP storage; https://mcap.dev/spec names the records and their fields."""

import struct
from binascii import crc32
from collections.abc import Collection, Iterator
from heapq import heappop, heappush
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from dmmi_ros.bags.storage.channel import Channel
from dmmi_ros.bags.storage.compression import decompress

MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, CHUNK_INDEX, STATISTICS = 0x03, 0x04, 0x05, 0x06, 0x08, 0x0B
_RECORD = struct.Struct("<BQ")  # opcode and length of what follows
_FOOTER = struct.Struct("<BQQQI8s")  # opcode, length, start of the summary, of its offsets, checksum, magic
_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, time of recording and of publication


class Chunk(NamedTuple):
    """A group of messages: the time of its first, where its record is, and its channels (empty: unknown)."""

    start: int
    offset: int
    length: int
    channels: frozenset[int] = frozenset()


class McapFile:
    """A `StorageFile` of MCAP, read by its summary or, without one, by a scan of the whole file."""

    def __init__(self, path: Path):
        self._file = path.open("rb")
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, Channel] = {}
        self._chunks: list[Chunk] = []
        self._has_statistics = False
        self.start: int | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self.channels = list(self._channels.values())

    def _open(self) -> None:
        size = self._file.seek(0, 2)
        if self._bytes(0, len(MAGIC)) != MAGIC:
            raise ValueError("it is no MCAP file")
        end = size - _FOOTER.size
        _, _, summary, _, _, magic = _FOOTER.unpack(self._bytes(max(0, end), _FOOTER.size))
        if magic != MAGIC:
            raise ValueError("its end is missing")
        self._data_end = summary or end
        if summary:
            self._index(self._file, summary, end)
        if not (self._channels and self._chunks and self._has_statistics):
            self._chunks.clear()
            self._index(self._file, len(MAGIC), self._data_end)

    def messages(self, ids: Collection[int]) -> Iterator[tuple[int, int, bytes]]:
        """Yield channel id, time of recording in nanoseconds and data, in the order of time.

        Chunks may overlap in time; messages outside of chunks come in the order of the file.
        """
        if not self._chunks:
            yield from _messages(self._file, len(MAGIC), self._data_end, ids)
            return
        waiting: list[tuple[int, int, int, bytes]] = []
        number = count()  # keeps the order of messages of the same time
        for chunk in sorted(self._chunks):
            if chunk.channels and chunk.channels.isdisjoint(ids):
                continue
            while waiting and waiting[0][0] < chunk.start:
                time, _, id_, data = heappop(waiting)
                yield id_, time, data
            content = self._content(chunk.offset, chunk.length)
            for id_, time, data in _messages(BytesIO(content), 0, len(content), ids):
                heappush(waiting, (time, next(number), id_, data))
        while waiting:
            time, _, id_, data = heappop(waiting)
            yield id_, time, data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _index(self, source: BinaryIO, start: int, end: int) -> None:
        """Collect the channels, chunks and times of the records from `start` to `end`."""
        for opcode, offset, length in _records(source, start, end):
            if opcode in (MESSAGE, CHUNK):
                self._index_data(source, opcode, offset, length)
            elif opcode in (SCHEMA, CHANNEL, CHUNK_INDEX, STATISTICS):
                source.seek(offset)
                self._index_summary(opcode, _Fields(source.read(length)))

    def _index_summary(self, opcode: int, fields: "_Fields") -> None:
        if opcode == SCHEMA:
            id_ = fields.number("H")
            self._schemas[id_] = fields.text()
        elif opcode == CHANNEL:
            id_, schema = fields.number("H"), fields.number("H")
            self._channels[id_] = Channel(id_, fields.text(), self._schemas.get(schema, ""), fields.text())
        elif opcode == CHUNK_INDEX:
            start, _, offset, length = (fields.number("Q") for _ in range(4))
            channels = frozenset(id_ for id_, _ in struct.iter_unpack("<HQ", fields.sized()))
            self._chunks.append(Chunk(start, offset + _RECORD.size, length - _RECORD.size, channels))
        else:
            self._has_statistics = True
            if fields.number("Q"):  # messages, of which the first is at the time at byte 26
                self.start = struct.unpack_from("<Q", fields.data, 26)[0]

    def _index_data(self, source: BinaryIO, opcode: int, offset: int, length: int) -> None:
        if opcode == CHUNK:
            content = self._content(offset, length)
            self._chunks.append(Chunk(_Fields(self._bytes(offset, 8)).number("Q"), offset, length))
            self._index(BytesIO(content), 0, len(content))
        else:
            source.seek(offset)
            _, _, time, _ = _MESSAGE.unpack(source.read(_MESSAGE.size))
            self.start = time if self.start is None else min(time, self.start)

    def _content(self, offset: int, length: int) -> bytes:
        """Return the records of a chunk."""
        fields = _Fields(self._bytes(offset, length))
        _, _, size, checksum = (fields.number(format_) for format_ in "QQQI")
        compression = fields.text()
        content = decompress(fields.sized("Q"), compression)
        if len(content) != size or (checksum and crc32(content) != checksum):
            raise ValueError("a chunk is not what it was")
        return content

    def _bytes(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


class _Fields:
    """Reads the fields of a record, one after the other."""

    def __init__(self, data: bytes):
        self.data = data
        self._at = 0

    def number(self, format_: str) -> int:
        """Return the next unsigned number, of a format of `struct`."""
        (value,) = struct.unpack_from(f"<{format_}", self.data, self._at)
        self._at += struct.calcsize(format_)
        return value

    def sized(self, format_: str = "I") -> bytes:
        """Return the next bytes, which their number precedes."""
        end = self.number(format_) + self._at
        if end > len(self.data):
            raise ValueError("a record is cut off")
        start, self._at = self._at, end
        return self.data[start:end]

    def text(self) -> str:
        """Return the next text."""
        return self.sized().decode()


def _records(source: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the opcode of each record, and where its fields begin and how long they are."""
    while start < end:
        source.seek(start)
        opcode, length = _RECORD.unpack(source.read(_RECORD.size))
        start += _RECORD.size
        if start + length > end:
            raise ValueError("a record is cut off")
        yield opcode, start, length
        start += length


def _messages(
    source: BinaryIO, start: int, end: int, ids: Collection[int]
) -> Iterator[tuple[int, int, bytes]]:
    for opcode, offset, length in _records(source, start, end):
        if opcode != MESSAGE:
            continue
        source.seek(offset)
        id_, _, time, _ = _MESSAGE.unpack(source.read(_MESSAGE.size))
        if id_ in ids:
            yield id_, time, source.read(length - _MESSAGE.size)
