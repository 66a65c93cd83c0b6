"""The publishers of one camera's results."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi.msg import NoTarget, Segmentation, SegmentationArray
from dmmi_core.errors import describe
from dmmi_core.result import Result, Status
from dmmi_core.visualization.overlay import draw_overlay
from dmmi_ros.conversion.depth import Location, points_of, to_pose_array
from dmmi_ros.conversion.detections import DetectionBuilder, find_vision_messages
from dmmi_ros.conversion.images import from_array
from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.topics.qos import RESULT_QOS

NO_VISION_MESSAGES = (
    "vision_msgs is not installed: there are no ~/detections and ~/detections_3d; install the package "
    "ros-$ROS_DISTRO-vision-msgs, or build it from source"
)


class Publishers:
    """Lifecycle publishers of `node` below `~/<prefix>`, which send only while the node is active."""

    def __init__(self, node: LifecycleNode, *, prefix: str):
        self._publishers: list[Any] = []

        def create(type_: type, name: str) -> Any:
            topic = node.resolve_topic_name(f"~/{prefix}{name}")
            publisher: Any = node.create_lifecycle_publisher(type_, topic, RESULT_QOS)
            self._publishers.append(publisher)
            return publisher

        self._node = node
        self._messages = MessageBuilder.for_rclpy()
        self._segmentation = create(Segmentation, "segmentation")
        self._segmentations = create(SegmentationArray, "segmentations")
        self._no_target = create(NoTarget, "no_target")
        self._labels = create(Image, "labels")
        self._overlay = create(Image, "overlay")
        self._poses = create(PoseArray, "poses")
        self._detections: Any = None
        self._detections_3d: Any = None
        if types := find_vision_messages():
            self._detection_builder = DetectionBuilder(types)
            self._detections = create(types.Detection2DArray, "detections")
            self._detections_3d = create(types.Detection3DArray, "detections_3d")
        else:
            node.get_logger().info(NO_VISION_MESSAGES, once=True)

    def publish(
        self,
        image: np.ndarray,
        requests: Sequence[str],
        outcomes: Sequence[Result | Exception],
        *,
        header: Header,
        command_id: int,
    ) -> None:
        """Publish the outcome of each request for `image`, uint8 RGB (H, W, 3), with `header`."""
        answers = [
            self._messages.answer(request, outcome, header=header, command_id=command_id)
            for request, outcome in zip(requests, outcomes, strict=True)
        ]
        for answer, outcome in zip(answers, outcomes, strict=True):
            if isinstance(outcome, Result):
                self._segmentation.publish(answer)
                self._publish_more(image, outcome, header=header, command_id=command_id)
        if self._segmentations.get_subscription_count():
            errors = [describe(each) if isinstance(each, Exception) else "" for each in outcomes]
            self._segmentations.publish(
                SegmentationArray(header=header, command_id=command_id, segmentations=answers, errors=errors)
            )

    def _publish_more(self, image: np.ndarray, result: Result, *, header: Header, command_id: int) -> None:
        messages = self._messages
        if result.status == Status.NO_TARGET:
            self._no_target.publish(messages.no_target(result, header=header, command_id=command_id))
        if _has_listener(self._labels):
            self._labels.publish(messages.labels(result, header=header))
        if _has_listener(self._overlay):
            self._overlay.publish(from_array(draw_overlay(image, result), header=header))
        if _has_listener(self._detections):
            self._detections.publish(self._detection_builder.detections(result, header=header))

    @property
    def has_location_listener(self) -> bool:
        """Whether somebody subscribes to what is made of locations."""
        return _has_listener(self._poses) or _has_listener(self._detections_3d)

    def publish_locations(
        self, result: Result, locations: Sequence[Location | None], *, header: Header
    ) -> None:
        """Publish where the instances of `result` are, in the frame of `header`; None without depth."""
        if _has_listener(self._poses):
            self._poses.publish(to_pose_array(points_of(locations), header))
        if _has_listener(self._detections_3d):
            message = self._detection_builder.detections_3d(result, locations, header=header)
            self._detections_3d.publish(message)

    def destroy(self) -> None:
        """Destroy all publishers."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)


def _has_listener(publisher: Any) -> bool:
    return publisher is not None and publisher.get_subscription_count() > 0
