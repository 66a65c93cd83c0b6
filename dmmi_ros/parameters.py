"""The node's parameters, declared with descriptions and ranges and read into one frozen dataclass."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import Field, dataclass, field, fields
from enum import Enum
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from dmmi_core.engines.registry import ENGINES, PRECISIONS
from dmmi_ros.float_parameters import declare_float, floats_from_integers

CAMERA_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,63}")


class Read(Enum):
    """When the node reads a parameter; the value names the states in which it may change."""

    AT_START = "never"
    AT_CONFIGURE = "unconfigured"
    AT_ACTIVATE = "unconfigured, inactive"
    AT_ONCE = "always"


def _parameter(
    default: Any,
    description: str,
    *,
    within: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    read: Read = Read.AT_CONFIGURE,
) -> Any:
    """Return a dataclass field with everything about a parameter.

    `within` is the range (lowest, highest) of a number, `choices` are the values of a string.
    """
    metadata = {"description": description, "within": within, "choices": choices, "read": read}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Parameters:
    """A consistent set of parameter values; fields have the names and defaults of the ROS parameters."""

    model: str = _parameter("dmmi-lite", "A model shipped with the package, or the path of a model folder.")
    device: str = _parameter("auto", "Device of the model: auto, cpu, cuda, cuda:1, ...")
    engine: str = _parameter(
        "auto",
        "Engine that runs the model; auto is the fastest installed one that agrees with PyTorch.",
        choices=("auto", *ENGINES),
    )
    precision: str = _parameter(
        "auto",
        "Precision of the computation; auto is the fastest that agrees with PyTorch.",
        choices=("auto", *PRECISIONS),
    )
    cameras: tuple[str, ...] = _parameter(
        ("",),
        "Names of the cameras: front has topics front/image, ~/front/segmentation and so on. "
        "One empty name means a single camera, with image and ~/segmentation.",
    )
    presence_threshold: float = _parameter(
        -1.0,
        "The status is NO_TARGET if presence is below this; negative values mean the model's own threshold.",
        within=(-1.0, 1.0),
        read=Read.AT_ONCE,
    )
    mask_threshold: float = _parameter(
        0.5, "Pixels above this probability are foreground.", within=(0.0, 1.0), read=Read.AT_ONCE
    )
    min_area: int = _parameter(
        64, "Instances with fewer pixels are discarded.", within=(0, 2**31 - 1), read=Read.AT_ONCE
    )
    command_timeout: float = _parameter(
        0.0,
        "Seconds after which a command expires; 0 means never.",
        within=(0.0, 1e6),
        read=Read.AT_ONCE,
    )
    text: str = _parameter(
        "",
        "First command, one request per line; holds from configure on, also after a respawn.",
    )
    keep_command: bool = _parameter(
        False,
        "The last command survives a restart of the node, even if it cancelled the one before. It is kept "
        "in $ROS_HOME/dmmi or ~/.ros/dmmi and replaces text, unless text has changed since.",
    )
    command_durability: str = _parameter(
        "volatile",
        "Durability of the subscription to command: volatile matches every publisher; transient_local also "
        "receives what a latched publisher sent before the node was up, but matches latched publishers only.",
        choices=("volatile", "transient_local"),
        read=Read.AT_START,
    )
    max_rate: float = _parameter(
        0.0,
        "Highest rate in Hz at which frames of each camera are processed; 0 means no limit.",
        within=(0.0, 1e3),
        read=Read.AT_ONCE,
    )
    frame_timeout: float = _parameter(
        5.0,
        "Seconds without a frame, while there is a command, after which the node warns; 0 means never.",
        within=(0.0, 1e6),
        read=Read.AT_ONCE,
    )
    max_lost_share: float = _parameter(
        0.1,
        "Share of the frames sent in the last diagnostics_period above which lost frames are a warning on "
        "/diagnostics.",
        within=(0.0, 1.0),
        read=Read.AT_ONCE,
    )
    max_dropped_share: float = _parameter(
        0.9,
        "Share of the frames received in the last diagnostics_period above which dropped frames are a "
        "warning on /diagnostics. The default is high, as dropping frames keeps results fresh.",
        within=(0.0, 1.0),
        read=Read.AT_ONCE,
    )
    tracking: bool = _parameter(
        False,
        "Instances keep their ids from frame to frame, and through occlusions of about a second.",
        read=Read.AT_ONCE,
    )
    depth: bool = _parameter(
        False,
        "Subscribe to depth, registered to image, and to camera_info; publish positions on ~/poses.",
        read=Read.AT_ACTIVATE,
    )
    depth_tolerance: float = _parameter(
        0.05,
        "Largest difference in seconds between the stamps of a frame and of its depth image. The node waits "
        "this long for the depth image, but at most 0.1 s, and not while another frame is due.",
        within=(0.0, 1e3),
        read=Read.AT_ONCE,
    )
    depth_units: float = _parameter(
        0.0,
        "Metres of one unit in depth images; 0 means those of REP 118: 0.001 for 16UC1, 1 for 32FC1.",
        within=(0.0, 1e3),
        read=Read.AT_ONCE,
    )
    depth_nearest: float = _parameter(
        0.0, "Depth below this, in metres, is not used.", within=(0.0, 1e6), read=Read.AT_ONCE
    )
    depth_farthest: float = _parameter(
        0.0,
        "Depth above this, in metres, is not used; 0 means no limit.",
        within=(0.0, 1e6),
        read=Read.AT_ONCE,
    )
    depth_min_share: float = _parameter(
        0.05,
        "Instances with depth on a smaller share of their pixels have no position.",
        within=(0.0, 1.0),
        read=Read.AT_ONCE,
    )
    target_frame: str = _parameter(
        "",
        "Frame of ~/poses and ~/detections_3d, such as base_link, by tf2; empty means that of the images.",
    )
    image_transport: str = _parameter(
        "auto",
        "raw subscribes to image, compressed to image/compressed, auto to whichever has the first frame.",
        choices=("auto", "raw", "compressed"),
        read=Read.AT_ACTIVATE,
    )
    image_reliability: str = _parameter(
        "best_effort",
        "Reliability of the image subscriptions; best_effort matches every camera driver.",
        choices=("best_effort", "reliable"),
        read=Read.AT_ACTIVATE,
    )
    bits: int = _parameter(
        0,
        "Bits in each sample of 16-bit images, such as 10 or 12; 0 finds the number from the largest value "
        "seen.",
        within=(0, 16),
        read=Read.AT_ACTIVATE,
    )
    diagnostics_period: float = _parameter(
        1.0, "Period of /diagnostics in seconds.", within=(0.01, 60.0), read=Read.AT_ONCE
    )
    bond: bool = _parameter(
        False,
        "Keep the bond that nav2's lifecycle manager expects while the node is active; needs bondpy. Without "
        "it, set bond_timeout of the manager to 0.0.",
        read=Read.AT_ACTIVATE,
    )
    autostart: bool = _parameter(
        False, "Configure and activate the node at start, without a lifecycle manager.", read=Read.AT_START
    )

    @classmethod
    def declare(cls, node: Node) -> None:
        """Declare all parameters. Raises rclpy's `ParameterException` for an invalid override."""
        for parameter in fields(cls):
            if isinstance(parameter.default, float):
                declare_float(node, parameter.name, parameter.default, _descriptor(parameter))
            else:
                node.declare_parameter(parameter.name, parameter.default, _descriptor(parameter))
        floats = [parameter.name for parameter in fields(cls) if isinstance(parameter.default, float)]
        node.add_pre_set_parameters_callback(floats_from_integers(floats))

    @classmethod
    def read(cls, node: Node) -> "Parameters":
        """Return the current values."""
        values: dict[str, Any] = {}
        for parameter in fields(cls):
            # An empty list in a file has no type and leaves the parameter without a value.
            default: Parameter[Any] = Parameter(parameter.name, value=parameter.default)
            value = node.get_parameter_or(parameter.name, default).value
            values[parameter.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """The names of the cameras, at least one; "" is the name of a single camera."""
        return self.cameras or ("",)


_METADATA = {parameter.name: parameter.metadata for parameter in fields(Parameters)}


def refusal(changes: Iterable[Parameter], *, is_configured: bool, is_active: bool) -> str:
    """Return why `changes` are refused in the present state; empty if they are accepted.

    rclpy itself checks ranges and refuses changes to read-only parameters.
    """
    for change in changes:
        metadata = _METADATA.get(change.name)
        if metadata is None:  # not ours, such as use_sim_time
            continue
        if is_configured and metadata["read"] == Read.AT_CONFIGURE:
            return f"{change.name} is read when the node is configured: clean it up first, then set it"
        if is_active and metadata["read"] == Read.AT_ACTIVATE:
            return f"{change.name} is read when the node is activated: deactivate it first, then set it"
        if metadata["choices"] and change.value not in metadata["choices"]:
            return f"{change.name} must be one of {', '.join(metadata['choices'])}, not {change.value!r}"
        if change.name == "cameras" and (reason := _cameras_refusal(change.value or ())):
            return reason
    return ""


def _cameras_refusal(names: Sequence[str]) -> str:
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


def _descriptor(parameter: Field[Any]) -> ParameterDescriptor:
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
