"""Frames are read as they were written, for every storage and transport, whatever else is in the bag."""

import sqlite3

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from dmmi_core.errors import InputError
from dmmi_ros.bags.reader import Bag
from helpers.recordings import STAMP_OFFSET, START, STORE, TOPIC, compressed, raw, write_bag

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


IMAGE, HASH = "sensor_msgs/msg/Image", "RIHS01_" + 64 * "0"
SERVICE = "example_interfaces/srv/AddTwoInts_Event"
FOREIGN = {
    "service event": (SERVICE, "int64 a\n---\nint64 sum\n", "cdr"),
    "no definition": ("any/msg/Any", "", "cdr"),
    "other definition of Image": (IMAGE, "int32 nothing", "cdr"),
    "broken definition of Image": (IMAGE, "!", "cdr"),
    "undefined part": ("any/msg/Any", "missing/Part part", "cdr"),
    "other messages": ("any.Any", "int32 a", "protobuf"),
    "other images": (IMAGE, "int32 a", "json"),
    "unknown definition": ("any/msg/Any", "UNKNOWN", "cdr"),
}
"""Type, definition and encoding of topics beside the images. UNKNOWN becomes bytes of an unknown encoding."""


def write_foreign(path, storage, type_, definition, encoding):
    """Write two images with another topic between them."""
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        images = writer.add_connection(TOPIC, IMAGE, typestore=STORE)
        writer.added_types.clear()  # so that one type may have two definitions
        foreign = writer.add_connection(
            "/foreign", type_, msgdef=definition, rihs01=HASH, serialization_format=encoding
        )
        message = bytes(STORE.serialize_cdr(raw(PICTURES[0], START), IMAGE))
        for number, connection in enumerate((images, foreign, images)):
            writer.write(connection, START + number, message if connection is images else b"foreign")
    if definition == "UNKNOWN":
        forget_definition(next(path.glob("*.*3" if storage == "sqlite3" else "*.mcap")))


def forget_definition(file):
    """Give definitions of the text UNKNOWN, and all others of an MCAP file, an encoding that nobody knows."""
    if file.suffix == ".mcap":
        data = file.read_bytes()
        file.write_bytes(data.replace(b"ros2msg", b"flatbuf").replace(b"UNKNOWN", b"\xff\xfe\x00\x80abc"))
        return
    with sqlite3.connect(file) as database:
        database.execute(
            "UPDATE message_definitions SET encoding = 'unknown', encoded_message_definition = ? "
            "WHERE encoded_message_definition = 'UNKNOWN'",
            (b"\xff\xfe",),
        )
    database.close()


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_foreign_topics_hinder_nobody(tmp_path, storage, kind):
    type_, _, encoding = FOREIGN[kind]
    write_foreign(tmp_path / "bag", storage, *FOREIGN[kind])
    with Bag(tmp_path / "bag") as bag:
        frames = list(bag.frames([TOPIC]))
        assert bag.skipped([TOPIC]) == [{"topic": "/foreign", "type": type_, "encoding": encoding}]
        assert bag.start == START
    assert [frame.time for frame in frames] == [START, START + 2]
    np.testing.assert_array_equal(frames[1].image(), PICTURES[0])


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_images_of_another_encoding_are_named(tmp_path, storage):
    write_foreign(tmp_path / "bag", storage, *FOREIGN["other images"])
    with Bag(tmp_path / "bag") as bag, pytest.raises(InputError) as raised:
        bag.choose(["/foreign"])
    assert str(raised.value) == (
        f"no images on '/foreign'; image topics: {TOPIC}; not encoded as cdr: /foreign (json)"
    )


COMPRESSIONS = [
    ("mcap", "storage"),
    *((name, mode) for name in ("mcap", "sqlite3") for mode in ("file", "message")),
]


@pytest.mark.parametrize(("storage", "mode"), COMPRESSIONS)
def test_compressed_bags(tmp_path, storage, mode):
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[mode.upper()], CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection(TOPIC, IMAGE, typestore=STORE)
        for number, picture in enumerate(PICTURES):
            data = bytes(STORE.serialize_cdr(raw(picture, START), IMAGE))
            writer.write(connection, START + number, data)
    with Bag(tmp_path / "bag") as bag:
        frames = list(bag.frames([TOPIC]))
    assert [frame.time - START for frame in frames] == [0, 1, 2]
    np.testing.assert_array_equal([frame.image() for frame in frames], PICTURES)


def test_order_across_chunks_that_overlap(tmp_path):
    """Each message has a chunk of its own, and they are not in the order of time; equal times keep theirs."""
    times = [5, 3, 9, 3, 1, 7]
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(TOPIC, IMAGE, typestore=STORE)
        for number, time in enumerate(times):
            picture = np.full((2, 2, 3), number, np.uint8)
            writer.write(connection, START + time, bytes(STORE.serialize_cdr(raw(picture, START), IMAGE)))
            if number % 2:
                writer.storage.close_chunk()
    with Bag(tmp_path / "bag") as bag:
        found = [(frame.time - START, int(frame.image()[0, 0, 0])) for frame in bag.frames([TOPIC])]
        assert bag.start == START + 1
    assert found == [(1, 4), (3, 1), (3, 3), (5, 0), (7, 5), (9, 2)]


@pytest.mark.parametrize("left", ["nothing", "the channels", "the channels and statistics"])
def test_an_mcap_file_without_all_of_its_summary(tmp_path, left):
    """What the summary lacks is found in the rest of the file."""
    path = write_bag(tmp_path / "bag", [(TOPIC, START + n, raw(p, START)) for n, p in enumerate(PICTURES)])
    file = next(path.glob("*.mcap"))
    data = bytearray(file.read_bytes())
    summary = int.from_bytes(data[-28:-20], "little")
    keep = {"nothing": b"", "the channels": b"\x03\x04", "the channels and statistics": b"\x03\x04\x0b"}[left]
    if not keep:
        data[-28:-20] = bytes(8)
    while summary < len(data) - 37:  # unwanted records get an opcode that readers pass over
        if data[summary] not in keep:
            data[summary] = 0x90
        summary += 9 + int.from_bytes(data[summary + 1 : summary + 9], "little")
    file.write_bytes(data)
    with Bag(file) as bag:
        assert [frame.time - START for frame in bag.frames([TOPIC])] == [0, 1, 2]
        assert bag.start == START
