"""`Result` -> messages. Nothing here imports PyTorch."""

import numpy as np
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Header

from dmmi.msg import InstanceMask, NoTarget, Segmentation
from dmmi_core.instances.grouping import label_image
from dmmi_core.result import Instance, Result, Roi
from dmmi_ros.conversion.images import from_array


def to_segmentation(result: Result, *, header: Header, command_id: int) -> Segmentation:
    """The whole answer for one frame; `header` is the frame's own, and also that of each mask."""
    message = Segmentation(header=header, command_id=command_id, command=result.text)
    message.status = int(result.status)
    message.presence = float(result.presence)
    message.presence_threshold = float(result.presence_threshold)
    message.height, message.width = result.mask.shape
    message.grouping = result.grouping
    message.instances = [to_instance_mask(instance, header=header) for instance in result.instances]
    return message


def to_instance_mask(instance: Instance, *, header: Header) -> InstanceMask:
    """One instance; its mask is mono8, 0 or 255, cropped to its roi."""
    message = InstanceMask(id=instance.id, score=float(instance.score), area=instance.area)
    message.roi = to_region(instance.roi)
    message.mask = from_array(instance.mask.astype(np.uint8) * 255, header=header)
    return message


def to_region(roi: Roi) -> RegionOfInterest:
    return RegionOfInterest(x_offset=roi.x, y_offset=roi.y, width=roi.width, height=roi.height)


def to_no_target(result: Result, *, header: Header, command_id: int) -> NoTarget:
    """The statement that the frame holds nothing that the command refers to."""
    message = NoTarget(header=header, command_id=command_id, command=result.text)
    message.presence = float(result.presence)
    message.presence_threshold = float(result.presence_threshold)
    return message


def to_labels(result: Result, *, header: Header) -> Image:
    """Instance ids as an image, 0 for background; mono8, or mono16 where an id is past 255."""
    return from_array(label_image(result.instances, *result.mask.shape), header=header)
