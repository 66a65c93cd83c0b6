"""`Result` -> vision_msgs, an optional package."""

from collections.abc import Iterable, Sequence
from typing import Any

from std_msgs.msg import Header

from dmmi_core.result import Instance, Result
from dmmi_ros.conversion.depth import Location


def find_vision_messages() -> Any:
    """Return the module vision_msgs.msg, or None if it is not installed."""
    try:
        import vision_msgs.msg
    except ImportError:
        return None
    return vision_msgs.msg


class DetectionBuilder:
    """Builds messages of `messages`, the module vision_msgs.msg.

    The class of a detection is the request and its id that of the instance. Every `header` is that of the
    frame; boxes in space are in its `frame_id`.
    """

    def __init__(self, messages: Any):
        self._messages = messages

    def detections(self, result: Result, *, header: Header) -> Any:
        """Return a box in pixels for each instance, as vision_msgs/Detection2DArray."""
        found = [self._detection(result, instance, header) for instance in result.instances]
        return self._messages.Detection2DArray(header=header, detections=found)

    def detections_3d(self, result: Result, locations: Sequence[Location | None], *, header: Header) -> Any:
        """Return a box in metres for each instance with a location, as vision_msgs/Detection3DArray."""
        found = [
            self._detection_3d(result, instance, location, header)
            for instance, location in zip(result.instances, locations, strict=True)
            if location is not None
        ]
        return self._messages.Detection3DArray(header=header, detections=found)

    def _detection(self, result: Result, instance: Instance, header: Header) -> Any:
        detection = self._messages.Detection2D(
            header=header, id=str(instance.id), results=[self._hypothesis(result, instance)]
        )
        roi, box = instance.roi, detection.bbox
        box.center.position.x, box.center.position.y = roi.x + roi.width / 2, roi.y + roi.height / 2
        box.size_x, box.size_y = float(roi.width), float(roi.height)
        return detection

    def _detection_3d(self, result: Result, instance: Instance, location: Location, header: Header) -> Any:
        hypothesis = self._hypothesis(result, instance)
        _set(hypothesis.pose.pose.position, location.centroid)
        detection = self._messages.Detection3D(header=header, id=str(instance.id), results=[hypothesis])
        centre, size = location.box()
        _set(detection.bbox.center.position, centre)
        _set(detection.bbox.size, size)
        return detection

    def _hypothesis(self, result: Result, instance: Instance) -> Any:
        hypothesis = self._messages.ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = result.text
        hypothesis.hypothesis.score = float(instance.score)
        return hypothesis


def _set(target: Any, values: Iterable[float]) -> None:
    """Set x, y and z of a Point or Vector3."""
    target.x, target.y, target.z = map(float, values)
