"""Assertions about messages, exact to the pixel."""

import numpy as np

from dmmi.msg import InstanceMask, Segmentation


def full_size(message: Segmentation, instance: InstanceMask) -> np.ndarray:
    """Return the instance's mask at the size of the frame, bool (H, W)."""
    roi, mask = instance.roi, instance.mask
    assert (mask.encoding, mask.height, mask.width) == ("mono8", roi.height, roi.width)
    pixels = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.step)[:, : mask.width]
    assert set(np.unique(pixels)) <= {0, 255}
    canvas = np.zeros((message.height, message.width), bool)
    canvas[roi.y_offset : roi.y_offset + roi.height, roi.x_offset : roi.x_offset + roi.width] = pixels > 0
    return canvas


def assert_finds(message: Segmentation, objects: list[np.ndarray]) -> None:
    """Assert that `message` has exactly `objects`, each bool (H, W), in this order and to the pixel."""
    assert message.status == min(len(objects), Segmentation.MANY)
    assert (message.height, message.width) == objects[0].shape
    assert [instance.id for instance in message.instances] == list(range(1, len(objects) + 1))
    for instance, expected in zip(message.instances, objects, strict=True):
        np.testing.assert_array_equal(full_size(message, instance), expected)
        assert instance.area == expected.sum()
        assert instance.mask.header == message.header


def assert_about_finds(message: Segmentation, objects: list[np.ndarray]) -> None:
    """Assert the same with a tolerance for images with blurred edges."""
    assert len(message.instances) == len(objects)
    for instance, expected in zip(message.instances, objects, strict=True):
        found = full_size(message, instance)
        assert (found & expected).sum() > 0.7 * (found | expected).sum()
