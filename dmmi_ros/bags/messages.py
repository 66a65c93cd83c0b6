"""`Result` <-> the messages of a bag, which are those of the node, without ROS."""

import struct
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from dmmi_core.errors import InputError
from dmmi_core.instances.grouping import label_image, union_mask
from dmmi_core.resources import shared
from dmmi_core.result import Instance, Result, Roi, Status

OWN = ("InstanceMask", "NoTarget", "Segmentation")
NANOSECONDS = 10**9


def make_typestore() -> Typestore:
    """All types of ROS 2 Kilted and this package's own. Raises `InputError`."""
    folder = shared("msg", "Segmentation.msg")
    if folder is None:
        raise InputError("the message definitions of this package are missing: install it again")
    typestore = get_typestore(Stores.ROS2_KILTED)
    types = {}
    for name in OWN:
        text = (folder.parent / f"{name}.msg").read_text(encoding="utf-8")
        types |= get_types_from_msg(text, f"dmmi/msg/{name}")
    typestore.register(types)
    return typestore


class ResultMessages:
    """Makes messages of the types in `typestore`."""

    def __init__(self, typestore: Typestore):
        types = typestore.types
        self._segmentation = types["dmmi/msg/Segmentation"]
        self._instance_mask = types["dmmi/msg/InstanceMask"]
        self._no_target = types["dmmi/msg/NoTarget"]
        self._region = types["sensor_msgs/msg/RegionOfInterest"]
        self._image = types["sensor_msgs/msg/Image"]

    def segmentation(self, result: Result, *, header, command_id: int):
        """dmmi/Segmentation; `header` is that of the frame."""
        height, width = result.mask.shape
        return self._segmentation(
            **self._statement(result, header, command_id),
            status=int(result.status),
            height=height,
            width=width,
            grouping=result.grouping,
            instances=[self._instance(instance, header) for instance in result.instances],
        )

    def no_target(self, result: Result, *, header, command_id: int):
        """dmmi/NoTarget."""
        return self._no_target(**self._statement(result, header, command_id))

    def labels(self, result: Result, *, header):
        """sensor_msgs/Image: 0 background, n = instance id; mono8, or mono16 where an id is past 255."""
        return self._pixels(label_image(result.instances, *result.mask.shape), header)

    @staticmethod
    def _statement(result: Result, header, command_id: int) -> dict:
        return {
            "header": header,
            "command_id": command_id,
            "command": result.text,
            "presence": result.presence,
            "presence_threshold": result.presence_threshold,
        }

    def _instance(self, instance: Instance, header):
        roi = instance.roi
        return self._instance_mask(
            id=instance.id,
            score=instance.score,
            area=instance.area,
            roi=self._region(roi.x, roi.y, roi.height, roi.width, do_rectify=False),
            mask=self._pixels(instance.mask.astype(np.uint8) * 255, header),
        )

    def _pixels(self, pixels: np.ndarray, header):
        encoding = {"uint8": "mono8", "uint16": "mono16"}[pixels.dtype.name]
        data = pixels.astype(pixels.dtype.newbyteorder("<")).view(np.uint8).reshape(-1)
        height, width = pixels.shape
        return self._image(header, height, width, encoding, 0, width * pixels.itemsize, data)


def to_result(message) -> Result:
    """What a dmmi/Segmentation says; times are not part of it."""
    instances = tuple(map(_to_instance, message.instances))
    return Result(
        text=message.command,
        status=Status(message.status),
        presence=message.presence,
        presence_threshold=message.presence_threshold,
        mask=union_mask(instances, message.height, message.width),
        instances=instances,
        grouping=message.grouping,
    )


def _to_instance(message) -> Instance:
    roi, mask = message.roi, message.mask
    pixels = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.step)[:, : mask.width]
    box = Roi(roi.x_offset, roi.y_offset, roi.width, roi.height)
    return Instance(message.id, message.score, message.area, box, pixels > 0)


def nanoseconds(stamp) -> int:
    """A builtin_interfaces/Time."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def with_stamp(raw: bytes, stamp: int) -> bytes:
    """A serialised message that begins with a header, with another stamp, in nanoseconds."""
    order = "<" if raw[1] & 1 else ">"  # what the four bytes before the message say
    return raw[:4] + struct.pack(f"{order}iI", *divmod(stamp, NANOSECONDS)) + raw[12:]


def make_header(typestore: Typestore, stamp: int, frame_id: str) -> Any:
    """std_msgs/Header; `stamp` in nanoseconds."""
    time = typestore.types["builtin_interfaces/msg/Time"](*divmod(stamp, NANOSECONDS))
    return typestore.types["std_msgs/msg/Header"](time, frame_id)
