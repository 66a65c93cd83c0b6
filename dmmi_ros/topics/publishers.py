"""The publishers of one camera's results."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi.msg import NoTarget, Segmentation
from dmmi_core.result import Result, Status
from dmmi_core.visualization.overlay import draw_overlay
from dmmi_ros.conversion.depth import to_pose_array
from dmmi_ros.conversion.images import from_array
from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.topics.qos import RESULT_QOS


class Publishers:
    """Lifecycle publishers of `node` below `~/<prefix>`, which send only while the node is active."""

    def __init__(self, node: LifecycleNode, *, prefix: str):
        def create(type_: type, name: str) -> Any:
            topic = node.resolve_topic_name(f"~/{prefix}{name}")
            return node.create_lifecycle_publisher(type_, topic, RESULT_QOS)

        self._node = node
        self._messages = MessageBuilder.for_rclpy()
        self._segmentation = create(Segmentation, "segmentation")
        self._no_target = create(NoTarget, "no_target")
        self._labels = create(Image, "labels")
        self._overlay = create(Image, "overlay")
        self._poses = create(PoseArray, "poses")

    def publish(self, image: np.ndarray, result: Result, *, header: Header, command_id: int) -> None:
        """Publish one result for `image`, uint8 RGB (H, W, 3); `header` is that of the frame."""
        messages = self._messages
        self._segmentation.publish(messages.segmentation(result, header=header, command_id=command_id))
        if result.status == Status.NO_TARGET:
            self._no_target.publish(messages.no_target(result, header=header, command_id=command_id))
        if self._labels.get_subscription_count():
            self._labels.publish(messages.labels(result, header=header))
        if self._overlay.get_subscription_count():
            self._overlay.publish(from_array(draw_overlay(image, result), header=header))

    @property
    def has_poses_listener(self) -> bool:
        """Whether somebody subscribes to the poses."""
        return self._poses.get_subscription_count() > 0

    def publish_poses(self, points: Iterable[np.ndarray], *, header: Header) -> None:
        """Publish the positions of instances: points (3,) in metres, in the frame of `header`."""
        self._poses.publish(to_pose_array(points, header))

    def destroy(self) -> None:
        """Destroy all publishers."""
        for publisher in (self._segmentation, self._no_target, self._labels, self._overlay, self._poses):
            self._node.destroy_lifecycle_publisher(publisher)
