"""Frames as real cameras send them, to a real node."""

from itertools import product

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dmmi.msg import Segmentation
from dmmi_ros.conversion.images import from_array, to_rgb
from helpers.client import RELIABLE
from helpers.encoding import (
    COLOUR,
    GREY,
    MOSAIC,
    PLANAR,
    WIDE_COLOUR,
    WIDE_GREY,
    YUV,
    encoded,
    message_of,
    planar_message,
)
from helpers.expectations import assert_about_finds, assert_finds

pytestmark = pytest.mark.timeout(120)
WARN = "1"


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


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("explode", "the stub was told to explode"),
        ("run out", "MemoryError: CUDA out of memory. Tried to allocate 2 GiB. more of it"),
    ],
)
def test_a_failing_inference_costs_that_frame_only(node, client, scene, command, said):
    client.command(command)
    client.send(scene.image)
    report = client.wait_for_report(frames_failed=1, last_error=said)
    assert (report["level"], report["message"]) == (WARN, said)
    client.command("the red boxes")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])


@pytest.mark.parametrize("padding", [0, 13])
@pytest.mark.parametrize("encoding", (*COLOUR, *WIDE_COLOUR))
def test_colour_is_understood(node, client, scene, encoding, padding):
    client.command("the red boxes")
    header = send_encoded(client, scene.image, encoding, padding=padding)
    assert_finds(client.answer_to(header), scene.masks["red"])


@pytest.mark.parametrize("encoding", (*MOSAIC, *YUV, *PLANAR))
def test_colour_that_pixels_share_is_understood(node, client, scene, encoding):
    client.command("the red boxes")
    answer = client.answer_to(send_encoded(client, scene.image[:60, :96], encoding, padding=4))
    assert_about_finds(answer, [mask[:60, :96] for mask in scene.masks["red"]])


@pytest.mark.parametrize("bits", [0, 10])
def test_16_bit_images_that_hold_10_bits_are_no_dark_ones(start_node, scene, bits):
    node = start_node(autostart=True, bits=bits)
    client = node.client
    client.wait_until_active()
    client.command("the red boxes")
    pixels = scene.image[:60, :96]
    for _ in range(2):
        message = message_of(encoded(pixels, "bayer_rggb16") >> 6, "bayer_rggb16")
        message.header = client.next_header()
        client.images.publish(message)
        assert_about_finds(client.answer_to(message.header), [mask[:60, :96] for mask in scene.masks["red"]])
    warning = f"{client.get_namespace()}/image: 16-bit images hold no value above 1023"
    assert node.log().count(warning) == (0 if bits else 1)


@pytest.mark.parametrize(
    ("encoding", "big_endian"), [*product(GREY, [False]), *product(WIDE_GREY, [False, True])]
)
def test_grey_is_understood(node, client, scene, encoding, big_endian):
    client.command("the blue box")
    overlays = client.listen(Image, "dmmi/overlay")
    header = send_encoded(client, scene.image, encoding, padding=6, big_endian=big_endian)
    assert client.answer_to(header).status == Segmentation.NO_TARGET
    client.wait_for(lambda: overlays, "overlay")
    seen = to_rgb(overlays[0])[:40]  # above the caption
    expected = np.repeat(cv2.cvtColor(scene.image, cv2.COLOR_RGB2GRAY)[:40, :, None], 3, axis=2)
    np.testing.assert_allclose(seen, expected, atol=1)


def send_encoded(client, pixels, encoding: str, **layout) -> Header:
    if encoding in PLANAR:
        message = planar_message(pixels, encoding, **layout)
    else:
        message = message_of(encoded(pixels, encoding), encoding, **layout)
    message.header = client.next_header()
    client.images.publish(message)
    return message.header


@pytest.mark.parametrize("transport", ["auto", "compressed"])
@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_compressed_images_are_understood(start_node, scene, transport, extension):
    client = start_node(autostart=True, image_transport=transport).client
    client.wait_until_active(images=client.compressed)
    client.command("the red boxes")
    data = cv2.imencode(extension, scene.image[..., ::-1])[1].tobytes()
    assert_about_finds(client.answer_to(client.send_compressed(data)), scene.masks["red"])
    client.send_compressed(data[:40])
    client.wait_for_report(frames_failed=1)
    client.answer_to(client.send_compressed(data))


def test_a_camera_that_sends_raw_and_compressed_is_answered_once(node, client, scene):
    client.command("the red boxes")
    client.wait_for(client.compressed.get_subscription_count, "subscription to compressed images")
    client.answer_to(client.send(scene.image))
    client.wait_for(lambda: not client.compressed.get_subscription_count(), "end of that subscription")
    client.send_compressed(cv2.imencode(".png", scene.image)[1].tobytes())
    client.answer_to(client.send(scene.image))
    assert len(client.segmentations) == 2


def test_a_camera_that_comes_back_with_the_other_transport(start_node, scene):
    client = start_node(autostart=True).client
    client.wait_until_active()
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    client.wait_for(lambda: not client.compressed.get_subscription_count(), "raw images only")
    client.destroy_publisher(client.images)
    client.wait_for(client.compressed.get_subscription_count, "subscription to compressed images")
    data = cv2.imencode(".png", scene.image[..., ::-1])[1].tobytes()
    assert_finds(client.answer_to(client.send_compressed(data)), scene.masks["red"])
    client.images = client.create_publisher(Image, "image", RELIABLE)
    client.destroy_publisher(client.compressed)
    client.wait_for(client.images.get_subscription_count, "subscription to raw images")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])
    client.wait_for_report(frames_processed=3, frames_lost=0)


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
