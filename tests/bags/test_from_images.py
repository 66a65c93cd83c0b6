"""`dmmi-bag make`: images and videos are written to bags and read back."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from dmmi_ros.bags.cli import main
from dmmi_ros.conversion.decoding import to_rgb

SECOND = 10**9


def pictures(count: int) -> np.ndarray:
    """Return smooth images, uint8 BGR, all different."""
    rng = np.random.default_rng(0)
    small = rng.integers(40, 216, (count, 3, 4, 3), np.uint8)
    return np.stack([cv2.resize(item, (64, 48), interpolation=cv2.INTER_CUBIC) for item in small])


@pytest.fixture
def folder(tmp_path):
    """Return a folder of three images, whose names are not in the order of writing, and another file."""
    path = tmp_path / "photographs"
    path.mkdir()
    for name, picture in zip(("b.jpg", "c.png", "a.BMP"), pictures(3), strict=True):
        cv2.imwrite(str(path / name), picture)
    (path / "instances.json").write_text("{}")
    return path


def read(path) -> list[tuple]:
    """Return topic, time of recording and message of each."""
    with AnyReader([path]) as reader:
        return [(c.topic, time, reader.deserialize(data, c.msgtype)) for c, time, data in reader.messages()]


def stamps(messages) -> list[int]:
    return [m.header.stamp.sec * SECOND + m.header.stamp.nanosec for *_, m in messages]


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_images(capsys, tmp_path, folder, storage):
    bag = tmp_path / "bag"
    options = ["--rate", "4", "--storage", storage, "--topic", "/front"]
    assert main(["make", str(folder), str(bag), *options]) == 0
    assert capsys.readouterr().out == f"{bag}: 3 frames on /front, 4 Hz\n"
    assert list(bag.glob("*.mcap" if storage == "mcap" else "*.db3"))
    messages = read(bag)
    assert [topic for topic, *_ in messages] == ["/front"] * 3
    assert [time for _, time, _ in messages] == stamps(messages) == [SECOND, 1.25 * SECOND, 1.5 * SECOND]
    assert {m.header.frame_id for *_, m in messages} == {"camera"}
    expected = [cv2.imread(str(folder / name))[..., ::-1] for name in ("a.BMP", "b.jpg", "c.png")]
    np.testing.assert_array_equal([to_rgb(m) for *_, m in messages], expected)


def test_compressed_images_are_the_files(tmp_path, folder):
    bag = tmp_path / "bag"
    assert main(["make", str(folder), str(bag), "--compressed"]) == 0
    messages = read(bag)
    assert {topic for topic, *_ in messages} == {"/camera/image_raw/compressed"}
    assert np.diff(stamps(messages)).tolist() == [SECOND / 10] * 2
    bmp, jpeg, png = (message for *_, message in messages)
    assert (bmp.format, jpeg.format, png.format) == ("jpeg", "jpeg", "png")
    assert bytes(jpeg.data) == (folder / "b.jpg").read_bytes()
    assert bytes(png.data) == (folder / "c.png").read_bytes()
    np.testing.assert_allclose(to_rgb(bmp), cv2.imread(str(folder / "a.BMP"))[..., ::-1], atol=8)


@pytest.mark.parametrize(("options", "rate"), [((), 5), (("--rate", "2"), 2)])
def test_video(tmp_path, options, rate):
    video, bag = tmp_path / "video.avi", tmp_path / "bag"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 48))
    assert writer.isOpened()
    for picture in pictures(7):
        writer.write(picture)
    writer.release()
    assert main(["make", str(video), str(bag), *options]) == 0
    messages = read(bag)
    assert np.diff(stamps(messages)).tolist() == [SECOND / rate] * 6
    rgb = np.stack([to_rgb(message) for *_, message in messages])
    assert np.abs(rgb.astype(int) - pictures(7)[..., ::-1]).mean() < 4  # JPEG


def one_line(capsys, *arguments) -> str:
    status = main(["make", *map(str, arguments)])
    output = capsys.readouterr()
    assert (status, output.out, output.err.count("\n")) == (2, "", 1)
    return output.err.removeprefix("dmmi-bag: ").strip()


def test_bad_input(capsys, tmp_path, folder):
    empty, text, bag = tmp_path / "empty", tmp_path / "text.avi", tmp_path / "bag"
    empty.mkdir()
    text.write_text("no video")
    missing = tmp_path / "missing"
    assert one_line(capsys, empty, bag).startswith(f"no pictures in folder {empty}; known are .jpg, ")
    assert one_line(capsys, missing, bag) == f"no such picture, folder of pictures or video: {missing}"
    assert one_line(capsys, text, bag).endswith(f"not a video that can be read: {text}")
    (folder / "d.jpg").write_bytes(b"no picture")
    assert one_line(capsys, folder, bag) == f"not an image that can be read: {folder / 'd.jpg'}"
    assert not bag.exists()  # nor half of it
    bag.mkdir()
    assert one_line(capsys, folder, bag) == f"{bag} exists already: choose another name for the bag"


def write_link(path):
    path.symlink_to("/nowhere")


def write_large(path):
    """Write a PNG whose header claims 100000 x 100000 pixels."""
    data = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    head = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path.write_bytes(data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:])


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (Path.mkdir, "no such image file: {}"),
        (write_link, "no such image file: {}"),
        (Path.touch, "not an image that can be read: {}"),
        (write_large, "not an image that can be read: {}: "),
    ],
)
def test_what_is_no_picture(capsys, folder, tmp_path, write, complaint):
    write(folder / "d.png")
    said = one_line(capsys, folder, tmp_path / "bag")
    assert said.startswith(complaint.format(folder / "d.png"))
    assert not (tmp_path / "bag").exists()


def refused(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as raised:
        main(["make", *map(str, arguments)])
    assert raised.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "fast", "1e-300", "1e-4", "1e5", "1e12"])
def test_rates_that_are_refused(capsys, folder, tmp_path, rate):
    said = refused(capsys, folder, tmp_path / "bag", f"--rate={rate}")
    assert said.endswith(f"{rate!r} is not a number from 0.001 to 10000")


@pytest.mark.parametrize("rate", ["0.001", "10000"])
def test_rates_at_the_limits(folder, tmp_path, rate):
    assert main(["make", str(folder), str(tmp_path / "bag"), "--rate", rate]) == 0
    assert np.diff(stamps(read(tmp_path / "bag"))).tolist() == [SECOND / float(rate)] * 2


@pytest.mark.parametrize("topic", ["", "my topic", "/", "/x/", "a//b", "1st", "/é"])
def test_topics_that_are_refused(capsys, folder, tmp_path, topic):
    said = refused(capsys, folder, tmp_path / "bag", f"--topic={topic}", "--compressed")
    assert said.endswith(f"{topic!r} is no name of a topic, such as /camera/image_raw")


@pytest.mark.parametrize("topic", ["camera", "/_x/image_2"])
def test_topics(folder, tmp_path, topic):
    assert main(["make", str(folder), str(tmp_path / "bag"), "--topic", topic]) == 0
    assert {name for name, *_ in read(tmp_path / "bag")} == {topic}
