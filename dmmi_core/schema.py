"""Conversion of plain YAML or JSON values to typed dataclasses; errors suggest the nearest valid key."""

import math
import reprlib
from contextlib import suppress
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from dmmi_core.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class MisfitError(InputError):
    """A key or a value does not fit; the message does not say of which file."""


def build(cls: type[T], values: dict[str, Any], prefix: str = "") -> T:
    """Build the dataclass `cls` from `values`, and its sections from nested mappings.

    `prefix` is the section's name in error messages. Raises MisfitError for a wrong key or type, a
    number that is not finite, and text that cannot be a file name.
    """
    if not isinstance(values, dict):
        raise MisfitError(f"it is {shown(values)}; it must be a mapping of keys to values")
    hints, known = get_type_hints(cls), {f.name for f in fields(cls)}
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known: {', '.join(sorted(known))}"
            raise MisfitError(f"unknown key {prefix}{str(key)[:60]}{hint}")
    try:
        return cls(**{key: _typed(hints[key], value, f"{prefix}{key}") for key, value in values.items()})
    except TypeError as error:
        raise MisfitError(str(error).partition("__init__() ")[2] or str(error)) from error


def _typed(kind: Any, value: Any, key: str) -> Any:
    """Convert `value` to the type `kind`. Raises MisfitError, which names `key`."""
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise MisfitError(f"{key} is a section with keys of its own, not {shown(value)}")
        return build(kind, value, f"{key}.")
    if get_origin(kind) is UnionType:  # only T | None and T | tuple[T, ...] are used
        kind, other = get_args(kind)
        if value is None and other is NoneType:
            return None
        kind = other if get_origin(other) is tuple and isinstance(value, (list, tuple)) else kind
        return _typed(kind, value, key)
    if get_origin(kind) is tuple and isinstance(value, (list, tuple)):
        return tuple(_typed(get_args(kind)[0], item, key) for item in value)
    if get_origin(kind) is dict and isinstance(value, dict):
        return {str(name): _typed(get_args(kind)[1], item, f"{key}.{name}") for name, item in value.items()}
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            value = float(value)  # YAML 1.1 reads 5e-5 as text
    if isinstance(kind, type) and isinstance(value, kind) and _is_usable(value, kind):
        return value
    raise MisfitError(f"{key} is {shown(value)}; it must be {_described(kind)}")


def _is_usable(value: Any, kind: type) -> bool:
    if kind is int:
        return not isinstance(value, bool)
    if kind is float:
        return math.isfinite(value)
    return kind is not str or ("\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value))


def shown(value: Any) -> str:
    """Return a short form of a value, for messages."""
    return reprlib.repr(value)


def _described(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"a list, each item {_described(get_args(kind)[0])}"
    return _NAMES.get(kind, getattr(kind, "__name__", str(kind)))


_NAMES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: "a section",
}
