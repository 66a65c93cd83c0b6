"""The topics on which answers leave the node."""

import numpy as np
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi.msg import NoTarget, Segmentation
from dmmi_core.overlay import draw_overlay
from dmmi_core.result import Result, Status
from dmmi_ros.images import from_array
from dmmi_ros.messages import to_labels, to_no_target, to_segmentation

QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


class Outputs:
    """Lifecycle publishers of `node`, silent while it is not active."""

    def __init__(self, node: LifecycleNode):
        self._segmentation = node.create_lifecycle_publisher(Segmentation, "~/segmentation", QOS)
        self._no_target = node.create_lifecycle_publisher(NoTarget, "~/no_target", QOS)
        self._labels = node.create_lifecycle_publisher(Image, "~/labels", QOS)
        self._overlay = node.create_lifecycle_publisher(Image, "~/overlay", QOS)

    def publish(self, image: np.ndarray, result: Result, *, header: Header, command_id: int) -> None:
        """Publishes the answer for `image`, uint8 RGB (H, W, 3), under `header`, that of its frame."""
        self._segmentation.publish(to_segmentation(result, header=header, command_id=command_id))
        if result.status == Status.NO_TARGET:
            self._no_target.publish(to_no_target(result, header=header, command_id=command_id))
        self._labels.publish(to_labels(result, header=header))
        if self._overlay.get_subscription_count():
            self._overlay.publish(from_array(draw_overlay(image, result), header=header))
