"""Image messages -> NumPy, for every encoding, row padding and byte order."""

from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from dmmi_core.errors import InputError
from dmmi_ros.conversion.images import BYTES_PER_PIXEL, from_array, to_rgb
from helpers.encoding import ALL, BAYER, COLOUR, GREY, WIDE_GREY, YUV, encoded, message_of

HEIGHT, WIDTH = 6, 10


def picture() -> np.ndarray:
    """Return random uint8 RGB without equal pixels, so that any shift shows."""
    return np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize("padding", [0, 1, 2, 3, 5, 64])
@pytest.mark.parametrize("encoding", COLOUR)
def test_colour(encoding, padding):
    message = message_of(encoded(picture(), encoding), encoding, padding=padding)
    np.testing.assert_array_equal(to_rgb(message), picture())


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


def test_every_encoding_is_tested():
    assert set(BYTES_PER_PIXEL) == set(ALL)


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


def test_what_the_converter_cannot_do_is_an_input_error():
    with pytest.raises(InputError, match="cannot convert a 3 x 2 'uyvy' image"):  # half a pair of pixels
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
