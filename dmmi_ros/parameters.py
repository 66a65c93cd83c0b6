"""The node's parameters: declared with descriptions and ranges, read into one frozen dataclass."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node


def _parameter(default: Any, description: str, *, within=None, choices=(), tunable=False) -> Any:
    """A field that says all there is to know of its parameter.

    `within` is (lowest, highest), `choices` the values of a string; a `tunable` one may change at any time.
    """
    metadata = {"description": description, "within": within, "choices": choices, "tunable": tunable}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Parameters:
    """One consistent set of values; names, defaults and descriptions are those of the ROS parameters."""

    model: str = _parameter("dmmi-lite", "A model shipped with the package, or the path of a model folder.")
    device: str = _parameter("auto", "Where the model runs: auto, cpu, cuda, cuda:1, ...")
    presence_threshold: float = _parameter(
        0.5, "The answer is NO_TARGET where presence is below this.", within=(0.0, 1.0), tunable=True
    )
    mask_threshold: float = _parameter(
        0.5, "Pixels above this probability are foreground.", within=(0.0, 1.0), tunable=True
    )
    min_area: int = _parameter(
        64, "Instances of fewer pixels are left out.", within=(0, 2**31 - 1), tunable=True
    )
    command_timeout: float = _parameter(
        0.0, "Seconds that a command holds; 0: until replaced or cancelled.", within=(0.0, 1e6), tunable=True
    )
    image_transport: str = _parameter(
        "auto",
        "raw subscribes to image, compressed to image/compressed, auto to the one of the first frame.",
        choices=("auto", "raw", "compressed"),
    )
    image_reliability: str = _parameter(
        "best_effort",
        "Of the image subscription; best_effort matches every camera driver.",
        choices=("best_effort", "reliable"),
    )
    autostart: bool = _parameter(False, "Configure and activate at start, without a lifecycle manager.")

    @classmethod
    def declare(cls, node: Node) -> None:
        """Declares them all; raises rclpy's `ParameterException` where an override does not fit."""
        for parameter in fields(cls):
            node.declare_parameter(parameter.name, parameter.default, _descriptor(parameter))

    @classmethod
    def read(cls, node: Node) -> "Parameters":
        """The current values."""
        return cls(**{parameter.name: node.get_parameter(parameter.name).value for parameter in fields(cls)})


_METADATA = {parameter.name: parameter.metadata for parameter in fields(Parameters)}


def refusal(changes: Iterable, *, is_configured: bool) -> str:
    """Why `changes` (rclpy Parameters) cannot be made now; empty if they can. Ranges are checked by rclpy."""
    for change in changes:
        metadata = _METADATA.get(change.name)
        if metadata is None:  # use_sim_time and such
            continue
        if is_configured and not metadata["tunable"]:
            return f"{change.name} is read when the node is configured: clean it up first, then set it"
        if metadata["choices"] and change.value not in metadata["choices"]:
            return f"{change.name} must be one of {', '.join(metadata['choices'])}, not {change.value!r}"
    return ""


def _descriptor(parameter) -> ParameterDescriptor:
    metadata = parameter.metadata
    descriptor = ParameterDescriptor(description=metadata["description"])
    if metadata["choices"]:
        descriptor.additional_constraints = f"one of {', '.join(metadata['choices'])}"
    if metadata["within"]:
        lowest, highest = metadata["within"]
        if isinstance(parameter.default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=lowest, to_value=highest)]
        else:
            descriptor.integer_range = [IntegerRange(from_value=lowest, to_value=highest, step=1)]
    return descriptor
