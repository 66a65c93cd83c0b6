"""Decompression of what rosbag2 and MCAP compress."""

import shutil
import sys
from pathlib import Path

from lz4.frame import decompress as _decompress_lz4

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_DECOMPRESS = {"": bytes, "lz4": _decompress_lz4, "zstd": zstd.decompress}


def decompress(data: bytes, name: str) -> bytes:
    """Undo the compression "", "lz4" or "zstd"."""
    if name not in _DECOMPRESS:
        raise ValueError(f"unknown compression {name!r}")
    return _DECOMPRESS[name](data)


def decompress_file(source: Path, target: Path) -> None:
    """Undo the zstd compression of a whole file."""
    with zstd.open(source, "rb") as compressed, target.open("wb") as plain:
        shutil.copyfileobj(compressed, plain)
