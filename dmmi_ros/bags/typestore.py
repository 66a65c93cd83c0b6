"""The message types of bags, without ROS, and helpers for headers and stamps."""

import struct
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from dmmi_core.errors import InputError
from dmmi_core.shipped_files import shared

OWN = ("InstanceMask", "NoTarget", "Segmentation")
NANOSECONDS = 10**9


def make_typestore() -> Typestore:
    """Return all types of ROS 2 Kilted and those of this package. Raises `InputError`."""
    segmentation = shared("msg", "Segmentation.msg")
    if segmentation is None:
        raise InputError("the message definitions of this package are missing: install it again")
    typestore = get_typestore(Stores.ROS2_KILTED)
    types: dict[str, Any] = {}
    for name in OWN:
        text = segmentation.with_name(f"{name}.msg").read_text(encoding="utf-8")
        types |= get_types_from_msg(text, f"dmmi/msg/{name}")
    typestore.register(types)
    return typestore


def make_header(typestore: Typestore, stamp: int, frame_id: str) -> Any:
    """Return a std_msgs/Header; `stamp` is in nanoseconds."""
    time = typestore.types["builtin_interfaces/msg/Time"](*divmod(stamp, NANOSECONDS))
    return typestore.types["std_msgs/msg/Header"](time, frame_id)


def nanoseconds(stamp: Any) -> int:
    """Return a builtin_interfaces/Time in nanoseconds."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def with_stamp(raw: bytes, stamp: int) -> bytes:
    """Return a serialised message that begins with a header, with another stamp, in nanoseconds."""
    order = "<" if raw[1] & 1 else ">"  # the four bytes before the message tell
    return raw[:4] + struct.pack(f"{order}iI", *divmod(stamp, NANOSECONDS)) + raw[12:]
