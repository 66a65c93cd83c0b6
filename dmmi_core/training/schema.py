"""Conversion of plain YAML or JSON values to typed dataclasses; errors suggest the nearest valid key."""

from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from dmmi_core.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def build(cls: type[T], values: dict[str, Any], prefix: str = "") -> T:
    """Build the dataclass `cls` from `values`, and its sections from nested mappings.

    `prefix` is the section's name in error messages. Raises InputError for a wrong key or type.
    """
    hints, known = get_type_hints(cls), {f.name for f in fields(cls)}
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known: {', '.join(sorted(known))}"
            raise InputError(f"recipe: unknown key {prefix}{key}{hint}")
    try:
        return cls(**{key: _typed(hints[key], value, f"{prefix}{key}") for key, value in values.items()})
    except TypeError as error:
        raise InputError(f"recipe: {str(error).partition('__init__() ')[2] or error}") from error


def _typed(kind: Any, value: Any, key: str) -> Any:
    """Convert `value` to the type `kind`. Raises InputError, which names `key`."""
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise InputError(f"recipe: {key} is a section with keys of its own, not {value!r}")
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
        try:
            return float(value)  # YAML 1.1 reads 5e-5 as text
        except ValueError:
            pass
    if isinstance(kind, type) and isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise InputError(f"recipe: {key} is {value!r}; it must be {_described(kind)}")


def _described(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"a list of {_described(get_args(kind)[0])}"
    return getattr(kind, "__name__", str(kind))
