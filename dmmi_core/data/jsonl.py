"""Files with one JSON value a line, written by people or programs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dmmi_core.errors import InputError


def read_lines(path: Path, on_value: Callable[[Any], None]) -> None:
    """Call `on_value` with the value of each line that is not blank.

    Raises `InputError` that names the file and the line of the first mistake; a TypeError or ValueError of
    `on_value` is such a mistake.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    on_value(_parse(line))
                except (TypeError, ValueError) as error:
                    raise InputError(f"{path}, line {number}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
