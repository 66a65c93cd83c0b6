"""The node's parameters: declared with descriptions and ranges, read into one frozen dataclass."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from dmmi_core.engines import ENGINES, PRECISIONS

CAMERA_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,63}")


class Read(Enum):
    """When the value of a parameter is taken over. It may change before, and in the states named."""

    AT_START = "never"
    AT_CONFIGURE = "unconfigured"
    AT_ACTIVATE = "unconfigured, inactive"
    AT_ONCE = "always"


def _parameter(default: Any, description: str, *, within=None, choices=(), read=Read.AT_CONFIGURE) -> Any:
    """A field that says all there is to know of its parameter.

    `within` is (lowest, highest), `choices` the values of a string.
    """
    metadata = {"description": description, "within": within, "choices": choices, "read": read}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Parameters:
    """One consistent set of values; names, defaults and descriptions are those of the ROS parameters."""

    model: str = _parameter("dmmi-lite", "A model shipped with the package, or the path of a model folder.")
    device: str = _parameter("auto", "Where the model runs: auto, cpu, cuda, cuda:1, ...")
    engine: str = _parameter(
        "auto",
        "What runs the model; auto is the fastest that is installed and agrees with PyTorch.",
        choices=("auto", *ENGINES),
    )
    precision: str = _parameter(
        "auto", "What it computes in; auto is the fastest that agrees.", choices=("auto", *PRECISIONS)
    )
    cameras: tuple[str, ...] = _parameter(
        ("",),
        "Names of cameras: front subscribes to front/image and answers on ~/front/segmentation and so on. "
        "One empty name: a single camera, with image and ~/segmentation.",
    )
    presence_threshold: float = _parameter(
        -1.0,
        "The answer is NO_TARGET where presence is below this; negative: below the model's own threshold.",
        within=(-1.0, 1.0),
        read=Read.AT_ONCE,
    )
    mask_threshold: float = _parameter(
        0.5, "Pixels above this probability are foreground.", within=(0.0, 1.0), read=Read.AT_ONCE
    )
    min_area: int = _parameter(
        64, "Instances of fewer pixels are left out.", within=(0, 2**31 - 1), read=Read.AT_ONCE
    )
    command_timeout: float = _parameter(
        0.0,
        "Seconds that a command holds; 0: until replaced or cancelled.",
        within=(0.0, 1e6),
        read=Read.AT_ONCE,
    )
    max_rate: float = _parameter(
        0.0,
        "Frames a second of each camera that are answered at most; 0: as many as the model has time for.",
        within=(0.0, 1e3),
        read=Read.AT_ONCE,
    )
    frame_timeout: float = _parameter(
        5.0,
        "Seconds without a frame, while a command holds, after which the node warns; 0: never.",
        within=(0.0, 1e6),
        read=Read.AT_ONCE,
    )
    tracking: bool = _parameter(
        False,
        "Instances keep their id from frame to frame, by the overlap of their masks, while a command holds.",
        read=Read.AT_ONCE,
    )
    depth: bool = _parameter(
        False,
        "Subscribe to depth, registered to image, and camera_info; publish on ~/poses where instances are.",
        read=Read.AT_ACTIVATE,
    )
    depth_tolerance: float = _parameter(
        0.05,
        "Seconds between the stamps of a frame and of a depth image that belongs to it. While there is "
        "nothing else to do it is waited for so long after its frame, but 0.1 s at most.",
        within=(0.0, 1e3),
        read=Read.AT_ONCE,
    )
    image_transport: str = _parameter(
        "auto",
        "raw subscribes to image, compressed to image/compressed, auto to the one of the first frame.",
        choices=("auto", "raw", "compressed"),
        read=Read.AT_ACTIVATE,
    )
    image_reliability: str = _parameter(
        "best_effort",
        "Of the image subscription; best_effort matches every camera driver.",
        choices=("best_effort", "reliable"),
        read=Read.AT_ACTIVATE,
    )
    diagnostics_period: float = _parameter(
        1.0, "Seconds between two reports on /diagnostics.", within=(0.01, 60.0), read=Read.AT_ONCE
    )
    autostart: bool = _parameter(
        False, "Configure and activate at start, without a lifecycle manager.", read=Read.AT_START
    )

    @classmethod
    def declare(cls, node: Node) -> None:
        """Declares them all; raises rclpy's `ParameterException` where an override does not fit."""
        for parameter in fields(cls):
            node.declare_parameter(parameter.name, parameter.default, _descriptor(parameter))

    @classmethod
    def read(cls, node: Node) -> "Parameters":
        """The current values."""
        values = {}
        for parameter in fields(cls):
            # An empty list in a file has no type, and leaves the parameter without a value.
            default = Parameter(parameter.name, value=parameter.default)
            value = node.get_parameter_or(parameter.name, default).value
            values[parameter.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """At least one; "" is the name of a single camera."""
        return self.cameras or ("",)


_METADATA = {parameter.name: parameter.metadata for parameter in fields(Parameters)}


def refusal(changes: Iterable, *, is_configured: bool, is_active: bool) -> str:
    """Why `changes` (rclpy Parameters) cannot be made now; empty if they can.

    rclpy checks ranges, and refuses to change what is read at the start.
    """
    for change in changes:
        metadata = _METADATA.get(change.name)
        if metadata is None:  # use_sim_time and such
            continue
        if is_configured and metadata["read"] == Read.AT_CONFIGURE:
            return f"{change.name} is read when the node is configured: clean it up first, then set it"
        if is_active and metadata["read"] == Read.AT_ACTIVATE:
            return f"{change.name} is read when the node is activated: deactivate it first, then set it"
        if metadata["choices"] and change.value not in metadata["choices"]:
            return f"{change.name} must be one of {', '.join(metadata['choices'])}, not {change.value!r}"
        if change.name == "cameras" and (reason := _refusal_of_cameras(change.value or ())):
            return reason
    return ""


def _refusal_of_cameras(names: Sequence[str]) -> str:
    if list(names) == [""]:
        return ""
    for name in names:
        if not CAMERA_NAME.fullmatch(name):
            return (
                f"{name[:40]!r} in cameras is no ROS name: use up to 64 letters, digits and _, a letter first"
            )
    if len(set(names)) < len(names):
        return f"cameras names one twice: {', '.join(names)}"
    return ""


def _descriptor(parameter) -> ParameterDescriptor:
    metadata = parameter.metadata
    descriptor = ParameterDescriptor(description=metadata["description"])
    descriptor.read_only = metadata["read"] == Read.AT_START
    if metadata["choices"]:
        descriptor.additional_constraints = f"one of {', '.join(metadata['choices'])}"
    if metadata["within"]:
        lowest, highest = metadata["within"]
        if isinstance(parameter.default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=lowest, to_value=highest)]
        else:
            descriptor.integer_range = [IntegerRange(from_value=lowest, to_value=highest, step=1)]
    return descriptor
