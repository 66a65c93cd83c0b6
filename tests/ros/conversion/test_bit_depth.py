"""16-bit images that hold fewer bits."""

from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage

from dmmi_ros.conversion.bit_depth import BitDepth
from dmmi_ros.conversion.images import to_rgb
from helpers.encoding import WIDE, encoded, message_of

RAMP = np.linspace(0, 255, 64).reshape(4, 16)
"""Grey from black to white, in 8 bits."""


def ramp(bits: int) -> np.ndarray:
    """Return the ramp in the lower `bits` of uint16."""
    return (RAMP / 255 * (2**bits - 1)).round().astype(np.uint16)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_whole_range_is_used(bits, given):
    shown = BitDepth(bits if given else 0).to_8_bits(ramp(bits))
    assert shown.dtype == np.uint8
    np.testing.assert_allclose(shown, RAMP, atol=1)


@pytest.mark.parametrize("bits", range(1, 17))
def test_given_bits_hold_for_darker_and_brighter_images(bits):
    depth = BitDepth(bits)
    half, too_bright = np.array([[2 ** (bits - 1)]], np.uint16), np.array([[65535]], np.uint16)
    assert depth.to_8_bits(half)[0, 0] == round(255 * 2 ** (bits - 1) / (2**bits - 1))
    assert depth.to_8_bits(too_bright)[0, 0] == 255
    assert depth.warning() == ""


def test_found_bits_grow_and_never_shrink():
    depth = BitDepth()
    found = []
    for largest in (200, 255, 256, 1023, 900, 5000, 0, 2, 16384, 1, 65535):
        depth.to_8_bits(np.array([[0, largest]], np.uint16))
        found.append(depth.found)
    assert found == [8, 8, 10, 10, 10, 14, 14, 14, 16, 16, 16]
    # The same value is darker now that brighter ones are known.
    assert depth.to_8_bits(np.array([[1023]], np.uint16))[0, 0] == 4


def test_what_was_found_is_said_unless_it_is_all():
    depth = BitDepth()
    assert depth.warning() == ""
    depth.to_8_bits(ramp(12))
    assert depth.warning() == (
        "16-bit images hold no value above 4095: they are taken to have 12 bits until brighter ones come; "
        "set the parameter bits to the number that the camera has"
    )
    depth.to_8_bits(ramp(16))
    assert depth.warning() == ""


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("encoding", WIDE)
def test_every_encoding_of_16_bits(encoding, big_endian):
    """Images that hold the same picture in 12 of the bits look the same."""
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)
    samples = encoded(pixels, encoding)
    dark = to_rgb(message_of(samples >> 4, encoding, padding=2, big_endian=big_endian), BitDepth())
    bright = to_rgb(message_of(samples, encoding, big_endian=big_endian))
    np.testing.assert_allclose(dark.astype(int), bright, atol=1)


def test_a_compressed_image():
    data = array("B", cv2.imencode(".png", ramp(10))[1].tobytes())
    rgb = to_rgb(CompressedImage(format="mono16; png compressed ", data=data))
    np.testing.assert_allclose(rgb, np.repeat(RAMP[..., None], 3, axis=2), atol=1)
