"""Frames as cameras really send them, into a real node."""

from array import array

import cv2
import numpy as np
import pytest
from expectations import assert_finds
from sensor_msgs.msg import Image

from dmmi_ros.images import from_array, to_rgb

pytestmark = pytest.mark.timeout(120)


def test_a_bad_frame_costs_that_frame_only(node, client, scene):
    client.command("the red boxes")
    broken = from_array(scene.image, header=client.next_header())
    broken.data = broken.data[:-1]
    client.images.publish(broken)
    report = client.wait_for_report(frames_failed=1)
    assert "not step x height" in report["last error"]
    assert "not step x height" in node.log()
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])
    assert len(client.segmentations) == 1


def test_a_failing_inference_costs_that_frame_only(node, client, scene):
    client.command("explode")
    client.send(scene.image)
    client.wait_for_report(frames_failed=1)
    client.command("the red boxes")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])


def test_padded_rows_are_understood(node, client, scene):
    client.command("the red boxes")
    message = from_array(scene.image, header=client.next_header())
    padded = np.pad(scene.image.reshape(message.height, -1), ((0, 0), (0, 13)), constant_values=77)
    message.step = padded.shape[1]
    message.data = array("B", padded.tobytes())
    client.images.publish(message)
    assert_finds(client.answer_to(message.header), scene.masks["red"])


@pytest.mark.parametrize("transport", ["auto", "compressed"])
def test_compressed_images_are_understood(start_node, scene, transport):
    client = start_node(autostart=True, image_transport=transport).client
    client.wait_until_active(images=client.compressed)
    client.command("the red boxes")
    png = cv2.imencode(".png", scene.image[..., ::-1])[1].tobytes()
    assert_finds(client.answer_to(client.send_compressed(png)), scene.masks["red"])
    client.send_compressed(png[:40])
    client.wait_for_report(frames_failed=1)
    client.answer_to(client.send_compressed(png))


def test_a_camera_that_sends_raw_and_compressed_is_answered_once(node, client, scene):
    client.command("the red boxes")
    client.wait_for(client.compressed.get_subscription_count, "subscription to compressed images")
    client.answer_to(client.send(scene.image))
    client.wait_for(lambda: not client.compressed.get_subscription_count(), "end of that subscription")
    client.send_compressed(cv2.imencode(".png", scene.image)[1].tobytes())
    client.answer_to(client.send(scene.image))
    assert len(client.segmentations) == 2


def test_the_overlay_shows_the_masks_on_the_picture(node, client, scene):
    client.command("the red boxes")
    overlays = client.listen(Image, "dmmi/overlay")
    header = client.send(scene.image)
    client.answer_to(header)
    client.wait_for(lambda: overlays, "overlay")
    assert overlays[0].header == header
    overlay = to_rgb(overlays[0])
    assert overlay.shape == scene.image.shape
    changed = (overlay != scene.image).any(axis=2)[:40]  # above the caption
    objects = np.any(scene.masks["red"], axis=0)[:40]
    near = cv2.dilate(objects.astype(np.uint8), np.ones((9, 9))) > 0  # outlines lie around them
    assert changed[objects].all()
    assert not changed[~near].any()
