"""Files with a JSON value a line, as people and programs write them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dmmi_core.errors import InputError


def read_lines(path: Path, take: Callable[[Any], None]) -> None:
    """Hands the value of each line to `take`; blank lines are none.

    Raises `InputError` that names the file and the line of the first mistake, also of one that `take` finds
    and raises as a TypeError or a ValueError.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    take(_parse(line))
                except (TypeError, ValueError) as error:
                    raise InputError(f"{path}, line {number}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
