"""Reading of small files, and atomic writing: a file or folder appears complete or not at all."""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dmmi_core.errors import OutputError

UNFINISHED, REPLACED = ".unfinished", ".replaced"
"""End the hidden names of a folder that is being written, and of the one whose place it takes."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXT = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|os error (28|122|27)\b|code: (28|122|27)\b"
)
"""What libraries that write by themselves say of a full disk; Rust's give the error number alone."""


def read_text(path: str | Path, *, most: int = 1 << 20) -> str:
    """Return the text of a UTF-8 file. Raises OSError if it has more than `most` bytes, as a device has."""
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EINVAL, f"it has more than {most:,} bytes", str(path))
    return data.decode("utf-8")


@contextmanager
def replaced_file(path: str | Path, *, needed: int | None = None) -> Iterator[Path]:
    """Yield a path to write to; the file takes the place of `path` when the block ends without an error.

    `needed` is the size of the file in bytes, if it is known. Raises OutputError if there is no room for it.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    new = Path(f"{path}.new")
    try:
        with _room_for(Path(path), new, needed):
            yield new
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def replaced_folder(folder: Path, *, needed: int | None = None) -> Iterator[Path]:
    """Yield a new folder to fill; it takes the place of `folder` when the block ends without an error.

    What killed processes left of earlier attempts is removed. `needed` is the size of all files in bytes, if
    it is known. Raises OutputError if there is no room for them.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent):
        _remove_unfinished(folder)
        new = Path(tempfile.mkdtemp(UNFINISHED, f".{folder.name}-", folder.parent))
        lock = _lock(new)
    try:
        with _room_for(folder, new, needed):
            yield new
        new.chmod(0o755)
        with _locked(folder.parent):
            old = new.with_suffix(REPLACED)
            if folder.exists():
                os.replace(folder, old)
            os.replace(new, folder)
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        os.close(lock)


def _remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed left of `folder`; a folder that was taken away comes back."""
    ours = re.compile(rf"\.{re.escape(folder.name)}-\w{{8}}(\{UNFINISHED}|\{REPLACED})")
    for left in list(folder.parent.iterdir()):
        if not ours.fullmatch(left.name):
            continue
        if left.suffix == REPLACED and not folder.exists():
            os.replace(left, folder)
        elif left.suffix == REPLACED or _is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Return whether no process holds the lock of a folder that is being written."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # its process has just removed it
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _lock(folder: Path) -> int:
    """Return the open descriptor of a folder, which is locked until it is closed or the process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # some network file systems have no locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = _lock(folder)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _room_for(path: Path, new: Path, needed: int | None) -> Iterator[None]:
    """Raise OutputError if the block fails since `new`, which shall become `path`, finds no room."""
    try:
        yield
    except Exception as error:
        reason = full_disk(error)
        if reason is None:
            raise
        written = _size(new)
        _remove(new)
        size = f"more than {_readable(written)}" if needed is None else _readable(needed)
        free = _readable(shutil.disk_usage(path.parent).free)
        raise OutputError(
            f"cannot write {path}: {reason}; it needs {size}, {free} are free there; what was there stays"
        ) from error


def full_disk(error: BaseException | None) -> str | None:
    """Return what the system says of a full disk, a quota or a limit, if that caused `error`, or None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return os.strerror(error.errno)
        if found := _FULL_TEXT.search(str(error)):
            code = next((int(number) for number in found.groups() if number), errno.ENOSPC)
            return found[0] if found[0][0].isupper() else os.strerror(code)
        error = error.__cause__ or error.__context__
    return None


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; hard links count as nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    found = [file.stat() for file in files if file.is_file()]
    return sum(file.st_size for file in found if file.st_nlink == 1)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _readable(size: int) -> str:
    """Return a size in decimal units.

    >>> _readable(999), _readable(1_234_000)
    ('999 bytes', '1.2 MB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
