"""`Result` <-> messages, of rclpy or of rosbags alike. Imports neither PyTorch nor, by itself, ROS."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dmmi_core.instances.grouping import label_image, union_mask
from dmmi_core.result import Instance, Result, Roi, Status
from dmmi_ros.conversion.decoding import image_fields

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

TYPES = (
    "dmmi/msg/InstanceMask",
    "dmmi/msg/NoTarget",
    "dmmi/msg/Segmentation",
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/RegionOfInterest",
)
FAILED = 255
"""The status of a dmmi/Segmentation that has no result."""


@dataclass(frozen=True)
class MessageBuilder:
    """Builds messages from results.

    `types` has a class for each name in `TYPES`; `to_data` converts bytes to what their uint8[] fields take.
    Every `header` is that of the frame, as a message of the same family.
    """

    types: Mapping[str, type]
    to_data: Callable[[bytes], Any]

    @classmethod
    def for_rclpy(cls) -> "MessageBuilder":
        """Return a builder of the messages that rclpy publishes; needs ROS."""
        import sensor_msgs.msg

        import dmmi.msg

        packages = {"dmmi": dmmi.msg, "sensor_msgs": sensor_msgs.msg}
        types = {}
        for name in TYPES:
            package, _, type_ = name.split("/")
            types[name] = getattr(packages[package], type_)
        return cls(types, lambda data: array("B", data))  # rclpy checks anything else byte by byte

    @classmethod
    def for_rosbags(cls, typestore: "Typestore") -> "MessageBuilder":
        """Return a builder of the messages of `typestore`."""
        return cls(typestore.types, lambda data: np.frombuffer(data, np.uint8))

    def segmentation(self, result: Result, *, header: Any, command_id: int) -> Any:
        """Return the result as dmmi/Segmentation."""
        height, width = result.mask.shape
        return self.types["dmmi/msg/Segmentation"](
            **_statement(result, header, command_id),
            status=int(result.status),
            height=height,
            width=width,
            grouping=result.grouping,
            instances=[self._instance(instance, header) for instance in result.instances],
        )

    def answer(self, request: str, outcome: Result | Exception, *, header: Any, command_id: int) -> Any:
        """Return the outcome of a request as dmmi/Segmentation; an error has the status FAILED."""
        if isinstance(outcome, Result):
            return self.segmentation(outcome, header=header, command_id=command_id)
        type_ = self.types["dmmi/msg/Segmentation"]
        return type_(header=header, command_id=command_id, command=request, status=FAILED)

    def no_target(self, result: Result, *, header: Any, command_id: int) -> Any:
        """Return the statement that the frame holds no target as dmmi/NoTarget."""
        return self.types["dmmi/msg/NoTarget"](**_statement(result, header, command_id))

    def labels(self, result: Result, *, header: Any) -> Any:
        """Return instance ids as sensor_msgs/Image, 0 for background; mono16 if an id is above 255."""
        return self._image(label_image(result.instances, *result.mask.shape), header)

    def _instance(self, instance: Instance, header: Any) -> Any:
        roi = instance.roi
        return self.types["dmmi/msg/InstanceMask"](
            id=instance.id,
            score=float(instance.score),
            area=instance.area,
            roi=self.types["sensor_msgs/msg/RegionOfInterest"](
                x_offset=roi.x, y_offset=roi.y, height=roi.height, width=roi.width, do_rectify=False
            ),
            mask=self._image(instance.mask.astype(np.uint8) * 255, header),
        )

    def _image(self, pixels: np.ndarray, header: Any) -> Any:
        return self.types["sensor_msgs/msg/Image"](
            header=header, **image_fields(pixels), data=self.to_data(pixels.tobytes())
        )


def _statement(result: Result, header: Any, command_id: int) -> dict[str, Any]:
    """Return the fields that dmmi/Segmentation and dmmi/NoTarget share."""
    return {
        "header": header,
        "command_id": command_id,
        "command": result.text,
        "presence": float(result.presence),
        "presence_threshold": float(result.presence_threshold),
    }


def to_result(message: Any) -> Result:
    """Return the result that a dmmi/Segmentation holds; its `timing_ms` is empty."""
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


def _to_instance(message: Any) -> Instance:
    roi, mask = message.roi, message.mask
    pixels = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.step)[:, : mask.width]
    box = Roi(roi.x_offset, roi.y_offset, roi.width, roi.height)
    return Instance(message.id, message.score, message.area, box, pixels > 0)
