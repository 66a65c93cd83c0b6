"""Image messages -> NumPy, for every encoding, row padding and byte order."""

from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_ros.conversion.encodings import ENCODINGS
from dmmi_ros.conversion.images import from_array, to_rgb
from helpers.encoding import (
    ALL,
    BAYER,
    COLOUR,
    GREY,
    PLANAR,
    WIDE_COLOUR,
    WIDE_GREY,
    YUV,
    encoded,
    message_of,
    planar_message,
)

HEIGHT, WIDTH = 6, 10


def picture() -> np.ndarray:
    """Return random uint8 RGB without equal pixels, so that any shift shows."""
    return np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize("padding", [0, 1, 2, 3, 5, 64])
@pytest.mark.parametrize("encoding", COLOUR)
def test_colour(encoding, padding):
    message = message_of(encoded(picture(), encoding), encoding, padding=padding)
    np.testing.assert_array_equal(to_rgb(message), picture())


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 6])
@pytest.mark.parametrize("encoding", WIDE_COLOUR)
def test_colour_of_16_bits(encoding, padding, big_endian):
    samples = encoded(picture(), encoding)
    rgb = to_rgb(message_of(samples, encoding, padding=padding, big_endian=big_endian))
    assert rgb.dtype == np.uint8
    np.testing.assert_allclose(rgb, picture(), atol=1)


@pytest.mark.parametrize("padding", [0, 1, 2, 7])
@pytest.mark.parametrize("encoding", GREY)
def test_grey(encoding, padding):
    grey = picture()[..., 0]
    rgb = to_rgb(message_of(grey, encoding, padding=padding))
    np.testing.assert_array_equal(rgb, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 2, 7])
@pytest.mark.parametrize("encoding", WIDE_GREY)
def test_grey_of_16_bits(encoding, padding, big_endian):
    grey = picture()[..., 0].astype(np.uint16) * 256 + picture()[..., 1]
    rgb = to_rgb(message_of(grey, encoding, padding=padding, big_endian=big_endian))
    assert rgb.dtype == np.uint8
    np.testing.assert_allclose(rgb, np.repeat(grey[..., None] / 257, 3, axis=2), atol=1)  # rounding is theirs


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("pattern", BAYER)
def test_bayer(pattern, depth, padding):
    colour = np.array([200, 120, 40])
    cell = colour[list(BAYER[pattern])].reshape(2, 2)
    mosaic = np.tile(cell, (HEIGHT // 2, WIDTH // 2))
    mosaic = mosaic.astype(np.uint8) if depth == 8 else (mosaic * 257).astype(np.uint16)
    rgb = to_rgb(message_of(mosaic, f"bayer_{pattern}{depth}", padding=padding))
    np.testing.assert_allclose(rgb, np.broadcast_to(colour, rgb.shape), atol=1)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("encoding", YUV)
def test_yuv(encoding, padding):
    luma = np.tile(np.linspace(40, 200, WIDTH).astype(np.uint8), (HEIGHT, 1))
    neutral = np.full_like(luma, 128)
    order = (neutral, luma) if encoding in ("uyvy", "yuv422") else (luma, neutral)
    rgb = to_rgb(message_of(np.stack(order, axis=2), encoding, padding=padding))
    expected = 255 / 219 * (luma.astype(float) - 16)  # grey, and brighter to the right
    np.testing.assert_allclose(rgb, np.repeat(expected[..., None], 3, axis=2), atol=1.5)


@pytest.mark.parametrize("counts_chroma", [False, True])
@pytest.mark.parametrize("padding", [0, 2, 3, 64])
@pytest.mark.parametrize("size", [(1, 1), (4, 6), (5, 6), (4, 7), (5, 7)])
@pytest.mark.parametrize("encoding", PLANAR)
def test_planes_of_luma_and_chroma(encoding, size, padding, counts_chroma):
    """The 2 x 2 pixels that share chroma have one hue; the message may count the rows of both planes."""
    cells = np.random.default_rng(1).integers(60, 200, (4, 4, 3))
    pixels = np.repeat(np.repeat(cells, 2, axis=0), 2, axis=1)[: size[0], : size[1]]
    pixels = (pixels + np.arange(size[0] * size[1]).reshape(*size, 1)).astype(np.uint8)  # all differ in luma
    message = planar_message(pixels, encoding, padding=padding)
    if counts_chroma:
        message.height = len(message.data) // message.step
    np.testing.assert_allclose(to_rgb(message), pixels, atol=3)


def test_pairs_of_pixels_in_an_odd_width():
    luma = np.linspace(40, 200, 8).astype(np.uint8)
    message = message_of(np.stack([luma, np.full_like(luma, 128)], axis=1)[None], "yuyv")
    message.width = 7
    rgb = to_rgb(message)
    assert rgb.shape == (1, 7, 3)
    np.testing.assert_allclose(rgb[0, :, 0], 255 / 219 * (luma[:7].astype(float) - 16), atol=1.5)


def test_every_encoding_is_tested():
    assert set(ENCODINGS) == set(ALL)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"encoding": "32FC1"}, "unsupported image encoding '32FC1'; supported: rgb8, "),
        ({"encoding": ""}, "unsupported image encoding ''"),
        ({"width": 0}, "empty image (0 x 6 rgb8)"),
        ({"height": 0}, "empty image (10 x 0 rgb8)"),
        ({"step": 29}, "image step 29 is less than the 30 bytes of a row (10 x 6 rgb8)"),
        ({"step": 31}, "image has 180 bytes, not step x height = 186 (10 x 6 rgb8)"),
        ({"height": 5}, "image has 180 bytes, not step x height = 150 (10 x 5 rgb8)"),
        ({"data": array("B")}, "image has 0 bytes, not step x height = 180 (10 x 6 rgb8)"),
    ],
)
def test_contradictions_are_one_clear_line(change, complaint):
    message = message_of(picture(), "rgb8")
    for field, value in change.items():
        setattr(message, field, value)
    with pytest.raises(InputError) as raised:
        to_rgb(message)
    assert str(raised.value).startswith(complaint)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("width", "encoding", "complaint"),
    [
        (4, "nv12", "image has 16 bytes, not step x 6 rows = 24 (4 x 4 nv12)"),
        (4, "nv24", "image has 16 bytes, not step x 12 rows = 48 (4 x 4 nv24)"),
        (3, "nv21", "image step 3 is less than the 4 bytes of a row (3 x 4 nv21)"),  # half a pair of pixels
    ],
)
def test_missing_chroma_is_one_clear_line(width, encoding, complaint):
    with pytest.raises(InputError) as raised:
        to_rgb(message_of(np.zeros((4, width), np.uint8), encoding))
    assert str(raised.value) == complaint


def test_half_a_pair_of_pixels_is_one_clear_line():
    with pytest.raises(InputError, match=r"^image step 6 is less than the 8 bytes of a row \(3 x 2 uyvy\)$"):
        to_rgb(message_of(np.zeros((2, 3, 2), np.uint8), "uyvy"))


@pytest.mark.parametrize("extension", [".png", ".jpg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_compressed(extension, channels):
    smooth = cv2.resize(picture(), (64, 48), interpolation=cv2.INTER_CUBIC)
    pixels = smooth if channels == 3 else smooth[..., 0]
    data = cv2.imencode(extension, pixels[..., ::-1] if channels == 3 else pixels, [1, 100])[1]
    rgb = to_rgb(CompressedImage(format=extension, data=array("B", data.tobytes())))
    expected = pixels if channels == 3 else np.repeat(pixels[..., None], 3, axis=2)
    assert (rgb.shape, rgb.dtype) == (expected.shape, np.uint8)
    np.testing.assert_allclose(rgb, expected, atol=0 if extension == ".png" else 60)


@pytest.mark.parametrize(
    ("format_", "is_rgb"),
    [
        ("rgb8; jpeg compressed rgb8", True),
        ("bgr8; png compressed rgb8", True),
        ("rgb16; png compressed rgb16", True),
        ("rgb8; jpeg compressed bgr8", False),
        ("rgb8; jpeg compressed ", False),
        ("rgb8", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_order_of_channels_that_a_format_names(format_, is_rgb, depth):
    """A camera that gave OpenCV RGB instead of BGR says so; red and blue of the file are swapped then."""
    pixels = picture().astype(depth) * (257 if depth == np.uint16 else 1)
    data = cv2.imencode(".png", pixels if is_rgb else pixels[..., ::-1])[1]
    rgb = to_rgb(CompressedImage(format=format_, data=array("B", data.tobytes())))
    np.testing.assert_array_equal(rgb, picture())


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("pattern", BAYER)
def test_a_compressed_mosaic(pattern, depth):
    mosaic = encoded(picture(), f"bayer_{pattern}{depth}")
    data = array("B", cv2.imencode(".png", mosaic)[1].tobytes())
    rgb = to_rgb(CompressedImage(format=f"bayer_{pattern}{depth}; png compressed ", data=data))
    np.testing.assert_array_equal(rgb, to_rgb(message_of(mosaic, f"bayer_{pattern}{depth}")))


@pytest.mark.parametrize("data", [b"", b"no image", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
def test_broken_compressed_images_are_one_clear_line(data):
    with pytest.raises(InputError, match=r"^cannot decode the compressed image: [^\n]+$"):
        to_rgb(CompressedImage(format="jpeg", data=array("B", data)))


@pytest.mark.parametrize(
    ("pixels", "encoding"),
    [
        (picture(), "rgb8"),
        (picture()[..., 0], "mono8"),
        (picture()[..., 0].astype(np.uint16) * 256 + 3, "mono16"),
        (picture()[::-1, ::2], "rgb8"),  # not contiguous
    ],
)
def test_from_array(pixels, encoding):
    header = Header(frame_id="camera")
    message = from_array(pixels, header=header)
    assert (message.header, message.encoding) == (header, encoding)
    assert (message.height, message.width) == pixels.shape[:2]
    row = pixels[0].size * pixels.itemsize
    assert message.step == row
    assert message.data.tobytes() == pixels.tobytes()
