"""Float parameters that take integers, as people write `rate: 5`; rclpy alone refuses them."""

from collections.abc import Callable, Collection
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter


def declare_float(
    node: Node, name: str, default: float, descriptor: ParameterDescriptor | None = None
) -> float:
    """Declare a float parameter and return its value; an integer override is converted.

    Raises rclpy's `ParameterException` for other overrides.
    """
    # The type of the override can only be learnt by declaring the parameter without a type.
    given: Any = node.declare_parameter(name, default, ParameterDescriptor(dynamic_typing=True)).value
    node.undeclare_parameter(name)
    is_integer = type(given) is int
    return node.declare_parameter(
        name, float(given) if is_integer else default, descriptor, ignore_override=is_integer
    ).value


def floats_from_integers(names: Collection[str]) -> Callable[[list[Parameter]], list[Parameter]]:
    """Return a callback for `add_pre_set_parameters_callback` that converts integers for these parameters."""

    def convert(changes: list[Parameter]) -> list[Parameter]:
        return [
            Parameter(change.name, value=float(change.value))
            if change.name in names and change.type_ == Parameter.Type.INTEGER
            else change
            for change in changes
        ]

    return convert
