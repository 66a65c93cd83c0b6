"""A bag: one file, or a folder of files that its metadata.yaml lists."""

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePath

import yaml

from dmmi_ros.bags.storage.channel import Channel, StorageFile
from dmmi_ros.bags.storage.compression import decompress, decompress_file
from dmmi_ros.bags.storage.mcap_file import McapFile
from dmmi_ros.bags.storage.sqlite_file import SqliteFile

FORMATS: dict[str, Callable[[Path], StorageFile]] = {".mcap": McapFile, ".db3": SqliteFile}
METADATA = "metadata.yaml"


class Recording:
    """An open bag. Raises errors of many types for a file that is not a bag."""

    def __init__(self, path: Path):
        with ExitStack() as stack:
            paths, compression = ([path], "none") if path.is_file() else _listed(path)
            if compression == "file":
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                paths = [_decompressed(path, folder) for path in paths]
            self._decompress_messages = compression == "message"
            self._files = [_open(path, stack) for path in paths]
            self._stack = stack.pop_all()
        self.channels = list(dict.fromkeys(channel for file in self._files for channel in file.channels))
        starts = [file.start for file in self._files if file.start is not None]
        self.start = min(starts, default=0)
        """Time of recording of the first message, in nanoseconds."""

    def messages(self, channels: Collection[Channel]) -> Iterator[tuple[Channel, int, bytes]]:
        """Yield channel, time of recording in nanoseconds and data: file by file, in the order of time."""
        for file in self._files:
            wanted = {channel.id: channel for channel in file.channels if channel in channels}
            for id_, time, data in file.messages(wanted) if wanted else ():
                yield wanted[id_], time, decompress(data, "zstd") if self._decompress_messages else data

    def close(self) -> None:
        """Close all files."""
        self._stack.close()


def _listed(folder: Path) -> tuple[list[Path], str]:
    """Return the files of a bag, and what is compressed: "none", "file" or "message"."""
    text = (folder / METADATA).read_text(encoding="utf-8")
    metadata = yaml.safe_load(text)["rosbag2_bagfile_information"]
    paths = [folder / PurePath(name).name for name in metadata["relative_file_paths"]]
    compression = (metadata.get("compression_mode") or "none").lower()
    if compression != "none" and metadata["compression_format"] != "zstd":
        raise ValueError(f"unknown compression {metadata['compression_format']!r}")
    return paths, compression


def _decompressed(path: Path, folder: Path) -> Path:
    target = folder / path.stem
    decompress_file(path, target)
    return target


def _open(path: Path, stack: ExitStack) -> StorageFile:
    if path.suffix not in FORMATS:
        raise ValueError(f"{path.name} is not one of {', '.join(FORMATS)}")
    file = FORMATS[path.suffix](path)
    stack.callback(file.close)
    return file
