"""Reader of pickle files of plain data that refuses files that would run code."""

import codecs
import pickle
from pathlib import Path
from typing import Any

from dmmi_core.errors import InputError, one_line


def read_plain_pickle(path: str | Path) -> Any:
    """Read lists, dicts, tuples, sets, text, bytes, numbers, bool and None, of any protocol.

    8-bit text of Python 2 is decoded as UTF-8, or else as Latin-1. Raises InputError for all other files.
    """
    try:
        with open(path, "rb") as file:
            return _PlainUnpickler(file, encoding=_CODEC).load()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except _RefusedError as error:
        raise InputError(
            f"{path} would run {error} when loaded, which data have no need of; get the file from its authors"
        ) from error
    except Exception as error:  # damaged pickles raise many kinds
        raise InputError(f"{path} is damaged, or no pickle file: {one_line(error)}") from error


def _decode(data: Any, _errors: str = "strict") -> tuple[str, int]:
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError:
        text = bytes(data).decode("latin-1")
    return text, len(data)


_CODEC = "dmmi_utf_8_or_latin_1"
codecs.register(
    lambda name: codecs.CodecInfo(codecs.utf_8_encode, _decode, name=name) if name == _CODEC else None
)


class _RefusedError(Exception):
    pass


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # A pickle creates everything but plain data by calling something that it looks up here.
        raise _RefusedError(f"{module}.{name}")
