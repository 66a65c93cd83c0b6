"""Frames are read as they were written, for every storage and transport."""

import numpy as np
import pytest

from dmmi_core.errors import InputError
from dmmi_ros.bags.reader import Bag
from helpers.recordings import STAMP_OFFSET, START, TOPIC, compressed, raw, write_bag

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 6, 10, 3), np.uint8)
MAKERS = {
    "raw": raw,
    "padded": lambda pixels, time: raw(pixels, time, padding=3),
    "bgr8": lambda pixels, time: raw(pixels[..., ::-1], time, encoding="bgr8"),
    "compressed": compressed,
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_frames(tmp_path, storage, maker):
    times = [START, START + 7, START + 2 * 10**9]
    messages = [
        (TOPIC, time, MAKERS[maker](picture, time)) for time, picture in zip(times, PICTURES, strict=True)
    ]
    with Bag(write_bag(tmp_path / "bag", messages, storage=storage)) as bag:
        assert (bag.start, bag.image_topics, bag.choose([])) == (START, [TOPIC], [TOPIC])
        frames = list(bag.frames([TOPIC]))
        assert {bag.type_of(TOPIC)} == {frame.type for frame in frames}
    assert [frame.time for frame in frames] == times
    assert [frame.stamp for frame in frames] == [time + STAMP_OFFSET for time in times]
    assert frames[0].message.header.frame_id == "camera_link"
    np.testing.assert_array_equal([frame.image() for frame in frames], PICTURES)


def test_a_file_without_its_folder(tmp_path):
    path = write_bag(tmp_path / "bag", [(TOPIC, START, raw(PICTURES[0], START))])
    file = next(path.glob("*.mcap")).rename(tmp_path / "alone.mcap")
    with Bag(file) as bag:
        (frame,) = bag.frames([TOPIC])
    np.testing.assert_array_equal(frame.image(), PICTURES[0])


@pytest.fixture
def two_cameras(tmp_path):
    messages = [
        ("/left", START, raw(PICTURES[0], START)),
        ("/right", START + 1, raw(PICTURES[1], START)),
        ("/left", START + 2, raw(PICTURES[2], START)),
    ]
    return write_bag(tmp_path / "bag", messages)


def test_cameras_come_by_time(two_cameras):
    with Bag(two_cameras) as bag:
        assert bag.choose(["/right", "/left", "/right"]) == ["/right", "/left"]
        assert [frame.topic for frame in bag.frames(["/right", "/left"])] == ["/left", "/right", "/left"]
        assert [frame.topic for frame in bag.frames(["/right"])] == ["/right"]
        assert bag.choose([], besides="/left") == ["/right"]


@pytest.mark.parametrize(
    ("topics", "complaint"),
    [
        (["/middle"], "no images on '/middle'; image topics: /left, /right"),
        ([], "choose with --topic; image topics: /left, /right"),
    ],
)
def test_a_topic_must_be_one_with_images(two_cameras, topics, complaint):
    with Bag(two_cameras) as bag, pytest.raises(InputError) as raised:
        bag.choose(topics)
    assert str(raised.value) == complaint


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x00\x00", b"\x00\x01\x00\x00" + 40 * b"\xff"])
def test_broken_messages(tmp_path, data):
    messages = [(TOPIC, START, raw(PICTURES[0], START)), (TOPIC, START + 1, data)]
    with Bag(write_bag(tmp_path / "bag", messages)) as bag:
        good, broken = bag.frames([TOPIC])
    np.testing.assert_array_equal(good.image(), PICTURES[0])
    assert broken.stamp is None
    with pytest.raises(InputError, match=f"^the message of {len(data)} bytes is no sensor_msgs/msg/Image$"):
        broken.image()


def write_nothing(path):
    pass


def write_folder(path):
    path.mkdir()


def write_text(path):
    path.write_text("no bag")


def write_metadata(path):
    path.mkdir()
    (path / "metadata.yaml").write_text("rosbag2_bagfile_information: 3")


def test_a_bag_of_ros_1(tmp_path):
    path = tmp_path / "old.bag"
    path.write_bytes(b"#ROSBAG V2.0")
    with pytest.raises(InputError) as raised:
        Bag(path)
    assert str(raised.value) == f"{path} is a bag of ROS 1: convert it first, with rosbags-convert"


def test_a_folder_with_the_name_of_one(tmp_path):
    path = write_bag(tmp_path / "new.bag", [(TOPIC, START, raw(PICTURES[0], START))])
    with pytest.raises(InputError) as raised:
        Bag(path)
    assert str(raised.value) == f"{path} is a folder with the name of a bag of ROS 1: rename it"


def cut_short(path):
    write_bag(path, [(TOPIC, START, raw(PICTURES[0], START))])
    file = next(path.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[:200])


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (write_nothing, "no bag "),
        (write_folder, "no bag "),
        (write_text, "cannot read the bag "),
        (write_metadata, "cannot read the bag "),
        (cut_short, "cannot read the bag "),
    ],
)
def test_what_is_no_bag(tmp_path, write, complaint):
    write(tmp_path / "bag")
    with pytest.raises(InputError) as raised:
        Bag(tmp_path / "bag")
    assert str(raised.value).startswith(f"{complaint}{tmp_path / 'bag'}: ")
    assert "\n" not in str(raised.value)
    assert "`ros2 bag reindex`" in str(raised.value)


def test_a_bag_without_images(tmp_path):
    path = write_bag(tmp_path / "bag", [(TOPIC, START, raw(PICTURES[0], START).header)])
    with Bag(path) as bag, pytest.raises(InputError, match=r"has no images$"):
        bag.choose([])
