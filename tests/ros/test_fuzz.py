"""Ten thousand malformed messages: each gets a result or a one-line error."""

import random
import string
from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_core.visible_text import strip_hidden
from dmmi_ros.commands import Commands
from dmmi_ros.conversion.encodings import ENCODINGS as SUPPORTED
from dmmi_ros.conversion.images import to_rgb
from helpers.expectations import assert_finds

RAW, COMPRESSED, TEXTS = 5500, 2500, 1700
OVER_DDS = [100, pytest.param(3400, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
"""Number of messages of each kind for the node in its own process."""
SIZES = [(1, 1), (2, 2), (3, 5), (16, 12), (31, 33)]
EXTREMES = [0, 1, 2, 3, 255, 256, 65535, 2**31 - 1, 2**32 - 1]
ENCODINGS = ["", "RGB8", "32FC1", "64FC3", "8UC2", "jpeg", "rgb8\0", "🙂", "x" * 5000, *SUPPORTED]
ALPHABETS = [
    string.ascii_letters,
    string.punctuation + string.whitespace,
    "\0\x01\x7f",
    "🙂\U0001f469\u200d🚀🇫🇮",
    "שלוםпривет語\u202e\ufeff",
]
WORDS = ["the", "two", "red", "boxes", "on", "left", "cup", "dogs", "##s", "[SEP]", "[MASK]", "%s", "{}"]


def good_image(rng: random.Random) -> Image:
    encoding = rng.choice(list(SUPPORTED))
    width, height = rng.choice(SIZES)
    step = SUPPORTED[encoding].row_bytes(width) + rng.choice([0, 0, 1, 7])
    message = Image(encoding=encoding, width=width, height=height, step=step)
    message.is_bigendian = rng.choice([0, 0, 1, 255])
    message.data = array("B", rng.randbytes(step * SUPPORTED[encoding].rows(height)))
    return message


def image(rng: random.Random) -> Image:
    """Return a valid image with up to three faults."""
    message = good_image(rng)
    for _ in range(rng.randrange(4)):
        name = rng.choice(["width", "height", "step", "encoding", "data"])
        if name == "encoding":
            message.encoding = rng.choice(ENCODINGS)
        elif name == "data":
            message.data = array("B", changed(bytes(message.data), rng))
        else:
            setattr(message, name, rng.choice(EXTREMES))
    return message


def compressed(rng: random.Random) -> CompressedImage:
    """Return a JPEG, PNG or other file, mostly damaged."""
    height, width = rng.choice(SIZES)
    pixels = np.frombuffer(rng.randbytes(height * width * 3), np.uint8).reshape(height, width, 3)
    extension = rng.choice([".jpg", ".png", ".bmp", ".webp", ".tiff"])
    data = cv2.imencode(extension, pixels)[1].tobytes()
    for _ in range(rng.randrange(4)):
        data = changed(data, rng)
    return CompressedImage(format=rng.choice(ENCODINGS), data=array("B", data))


def changed(data: bytes, rng: random.Random) -> bytes:
    """Return `data` truncated, extended, replaced, or with single bytes overwritten."""
    at = rng.randrange(len(data) + 1)
    kind = rng.randrange(5)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + rng.randbytes(rng.randrange(40)) + data[at:]
    if kind == 2:
        return rng.randbytes(rng.randrange(200))
    overwritten = bytearray(data)
    for _ in range(min(len(data), 3)):
        overwritten[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(overwritten)


def text(rng: random.Random) -> str:
    """Return words, unusual characters, or a very long text; sometimes with a colour that the stub knows."""
    kind = rng.randrange(20)
    if kind == 0:
        return rng.choice(WORDS) * 25_000  # some 100 KB
    if kind < 8:
        return " ".join(rng.choices(WORDS, k=rng.randrange(40)))
    return "".join(rng.choices(rng.choice(ALPHABETS), k=rng.randrange(1, 200)))


def assert_one_clear_line(error: Exception) -> None:
    assert str(error).strip()
    assert "\n" not in str(error)
    assert len(str(error)) < 1000


def test_images_are_read_or_refused():
    rng = random.Random(1)
    read = 0
    for _ in range(RAW):
        message = image(rng)
        try:
            rgb = to_rgb(message)
        except InputError as error:
            assert_one_clear_line(error)
        else:
            assert (rgb.shape[1:], rgb.dtype) == ((message.width, 3), np.uint8)
            # A message of several planes may count the rows of all.
            assert message.height in (len(rgb), SUPPORTED[message.encoding].rows(len(rgb)))
            read += 1
    assert RAW / 10 < read < RAW * 9 / 10  # or these messages test nothing


def test_compressed_images_are_read_or_refused():
    rng = random.Random(2)
    read = 0
    for _ in range(COMPRESSED):
        try:
            rgb = to_rgb(compressed(rng))
        except InputError as error:
            assert_one_clear_line(error)
        else:
            assert rgb.ndim == 3 and rgb.shape[2] == 3 and rgb.dtype == np.uint8 and rgb.size
            read += 1
    assert COMPRESSED / 10 < read < COMPRESSED * 9 / 10


def test_texts_are_answered_or_refused(model_folder):
    from dmmi_core import Segmenter

    segmenter = Segmenter.from_pretrained(model_folder, engine="torch", device="cpu")
    picture = np.zeros((8, 8, 3), np.uint8)
    commands = Commands()
    rng = random.Random(3)
    for number in range(TEXTS):
        words = text(rng)
        command = commands.accept(words, timeout=0.0)
        assert (command is None) == (not strip_hidden(words))
        if number % 3:  # the model takes longest
            continue
        try:
            result = segmenter(picture, words)
        except InputError as error:
            assert_one_clear_line(error)
        else:
            assert isinstance(result, Result)


def wait_until_received(client, number: int) -> None:
    while not client.reports or int(client.reports[-1]["frames received"]) < number:
        client.reports.clear()
        client.commands.publish(String(data="the red boxes"))  # which makes the node report at once
        client.wait_for(lambda: client.reports, "report")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("count", OVER_DDS)
@pytest.mark.parametrize(("transport", "make"), [("raw", image), ("compressed", compressed)])
def test_a_node_survives_every_image(start_node, scene, transport, make, count):
    """A real process answers or counts each message, and still answers a valid frame afterwards."""
    rng = random.Random(4)
    node = start_node(autostart=True, image_transport=transport)
    client = node.client
    publisher = client.images if transport == "raw" else client.compressed
    client.wait_until_active(images=publisher)
    client.command("the red boxes")
    for number in range(1, count + 1):
        message = make(rng)
        message.header = client.next_header()
        publisher.publish(message)
        wait_until_received(client, number)  # one at a time, so that the middleware loses none
    if transport == "raw":
        header = client.send(scene.image)
    else:
        header = client.send_compressed(cv2.imencode(".png", scene.image[..., ::-1])[1].tobytes())
    assert_finds(client.answer_to(header), scene.masks["red"])
    outcomes = [f"frames {name}" for name in ("processed", "dropped", "failed", "without a command")]

    def all_accounted() -> bool:
        return sum(int(client.reports[-1][name]) for name in outcomes) == count + 1

    client.wait_for(all_accounted, "report that accounts for every frame")
    report = client.reports[-1]
    assert int(report["frames failed"]) > count / 10
    assert len(client.segmentations) == int(report["frames processed"])
    assert node.process.is_alive


@pytest.mark.parametrize("count", OVER_DDS)
def test_a_node_survives_every_text(node, client, scene, count):
    rng = random.Random(5)
    for _ in range(count):
        client.commands.publish(String(data=text(rng)))
    client.command("now the red boxes")  # unlike all before, so that its report is told from theirs
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])
    assert node.process.is_alive
