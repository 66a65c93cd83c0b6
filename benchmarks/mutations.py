"""Random damage to files: to their bytes, and to the values in them."""

import json
import pickle
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

NESTED: list = []
for _ in range(50):
    NESTED = [NESTED]
ODD = (
    *(None, True, False, 0, 1, -1, 2, 5, 10**6, 10**9, -(10**9), 10**30, 0.0, -0.5, 3.0, 1e-300, 1e308),
    *(float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "\0",
        "\ud800",
        "1",
        "5e-5",
        "a" * 5000,
        "../..",
        "/dev/zero",
        "/",
        "[MASK] [SEP]",
        "\n",
        "é🐕",
    ),
    *([], {}, [[]], [None], {"": {}}, [1, 2, 3], [1.5, "a"], NESTED, {"size": [5, 5], "counts": "0"}),
)
"""Values that nobody expects where they are put."""


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flip bits, cut, repeat, overwrite or insert, once or a few times."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(changed) + 1)
        end = min(len(changed), at + rng.choice((1, 2, 8, 100)))
        match rng.randrange(7):
            case 0 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                del changed[at:end]
            case 3:
                changed[at:at] = changed[at:end] * rng.choice((1, 2, 50))
            case 4:
                changed[at:end] = bytes([rng.choice((0, 255, 48, 91, 123))]) * (end - at)
            case 5:
                changed[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
            case 6:
                changed[at:at] = rng.choice((b"[", b'{"a":', b"- ")) * rng.choice((1, 2000, 100_000))
    return bytes(changed)


def mutate_value(value: Any, rng: random.Random) -> Any:
    """Return a copy of nested lists and dicts with a few values replaced, removed, wrapped or moved."""
    changed = [deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        parents = list(_parents(changed))
        parent, key = rng.choice(parents)
        match rng.randrange(6):
            case 0 if parent is not changed:
                del parent[key]
            case 1:
                parent[key] = [parent[key]]
            case 2:
                other, its = rng.choice(parents)
                parent[key] = deepcopy(other[its])
            case 3 if isinstance(parent[key], (int, float)):
                parent[key] *= rng.choice((-1, 0, 2, 1000, 0.5))
            case _:
                parent[key] = deepcopy(rng.choice(ODD))
    return changed[0]


def _parents(value: Any, limit: int = 50) -> Any:
    """Yield each list or dict with each of its keys; of long lists only the first items."""
    keys = list(value)[:limit] if isinstance(value, dict) else range(min(len(value), limit))
    for key in keys:
        yield value, key
        if isinstance(value[key], (list, dict)):
            yield from _parents(value[key], limit)


def mutate(data: bytes, rng: random.Random, read: Callable, write: Callable) -> bytes:
    """Damage a file by its bytes, or by the value that `read` makes of it and `write` makes bytes of."""
    if rng.random() < 0.3:
        return mutate_bytes(data, rng)
    try:
        return write(mutate_value(read(data), rng))
    except Exception:  # such a value cannot be written in this format
        return mutate_bytes(data, rng)


def json_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def read_lines(data: bytes) -> list:
    return [json.loads(line) for line in data.decode().splitlines()]


def lines_bytes(values: Any) -> bytes:
    return b"".join(json_bytes(value) + b"\n" for value in (values if isinstance(values, list) else [values]))


def pickle_bytes(value: Any) -> bytes:
    return pickle.dumps(value, protocol=2)


def read_tensors_file(data: bytes) -> list:
    """Return the header of a .safetensors file, as a value, and the rest of it."""
    size = int.from_bytes(data[:8], "little")
    return [json.loads(data[8 : 8 + size]), data[8 + size :].hex()]


def tensors_file_bytes(value: list) -> bytes:
    header, rest = json_bytes(value[0]), bytes.fromhex(value[1])
    return len(header).to_bytes(8, "little") + header + rest
