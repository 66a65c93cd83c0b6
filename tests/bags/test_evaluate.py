"""`dmmi-bag evaluate` on synthetic images with a model that finds red; all figures are computed by hand."""

import json
import logging
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Writer

import dmmi_core.engines.export_process
import dmmi_ros.bags.report
from dmmi_core.data.samples import encode_mask
from dmmi_core.segmenter import Segmenter
from dmmi_core.visualization.overlay import draw_overlay
from dmmi_ros.bags.cli import main
from helpers.recordings import (
    SECOND,
    SIDE,
    STAMP_OFFSET,
    START,
    STORE,
    TOPIC,
    TYPES,
    box_mask,
    compressed,
    header,
    raw,
    red_boxes,
    write_bag,
)
from helpers.tiny import ABSENT, PRESENT

A, B = (5, 5, 10, 10), (30, 20, 10, 20)  # 100 and 200 pixels
C = (45, 45, 8, 8)
BOTH = f"{PRESENT}\n{ABSENT}"
BROKEN_RLE = "the runs of an RLE are broken, or do not add up to the image"
SCHEDULE = [(0.5, PRESENT), (3.5, BOTH), (4.5, "")]
PICTURES = {0: (A,), 1: (A,), 2: (A, B), 3: None, 4: (A, B), 5: (A,)}
"""The red boxes at each second; None is a broken frame."""


pytestmark = pytest.mark.usefixtures("red_finder")


def frames(maker=raw) -> list[tuple]:
    return [
        (
            TOPIC,
            START + at * SECOND,
            b"broken" if boxes is None else maker(red_boxes(*boxes), START + at * SECOND),
        )
        for at, boxes in PICTURES.items()
    ]


@pytest.fixture
def commands(tmp_path):
    return write_commands(tmp_path, SCHEDULE)


def write_commands(folder, schedule):
    path = folder / "commands.jsonl"
    path.write_text("".join(json.dumps({"at": at, "command": text}) + "\n" for at, text in schedule))
    return path


def sample(at: int, text: str, *boxes, **keys) -> dict:
    kind = ("zero", "one", "many")[len(boxes)]
    segmentations = [encode_mask(box_mask(*box)) for box in boxes]
    stamp = START + at * SECOND + STAMP_OFFSET
    return {
        "topic": TOPIC,
        "stamp": stamp,
        "text": text,
        "kind": kind,
        "height": SIDE,
        "width": SIDE,
        "segmentations": segmentations,
        **keys,
    }


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.jsonl"
    samples = [
        sample(1, PRESENT, A),
        sample(2, PRESENT, A),
        sample(4, PRESENT, A, B),
        sample(4, ABSENT),
        sample(5, PRESENT, A),  # nobody asks there
    ]
    path.write_text("".join(json.dumps(item) + "\n" for item in samples))
    return path


def run(capsys, *arguments) -> tuple[int, str, list[str]]:
    """Return the exit status, stdout, and the lines of stderr."""
    status = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return status, output.out, output.err.splitlines()


def figures(capsys, *arguments) -> dict:
    status, text, errors = run(capsys, "evaluate", *arguments, "--json")
    assert (status, errors) == (0, [])
    return json.loads(text)


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
@pytest.mark.parametrize("maker", [raw, compressed])
def test_figures(capsys, tmp_path, commands, storage, maker):
    bag = write_bag(tmp_path / "bag", [f for f in frames(maker) if f[2] != b"broken"], storage=storage)
    said = figures(capsys, bag, "--commands", commands)
    assert (said["mode"], said["seconds"], said["scores"]) == ("offline", 5, None)
    assert said["topics"] == {TOPIC: {"frames": 5, "without_command": 2}}
    present, absent = said["commands"]
    assert (present["command"], absent["command"]) == (PRESENT, ABSENT)
    counts = ("frames", "answered", "no_target", "one", "many", "dropped", "broken")
    assert [present[name] for name in counts] == [3, 3, 0, 1, 2, 0, 0]
    assert [absent[name] for name in counts] == [1, 1, 1, 0, 0, 0, 0]
    assert 0 < present["latency_ms"]["50"] <= present["latency_ms"]["90"] <= present["latency_ms"]["99"]


def test_broken_frames_are_counted(capsys, tmp_path, commands):
    said = figures(capsys, write_bag(tmp_path / "bag", frames()), "--commands", commands)
    present = said["commands"][0]
    assert (present["frames"], present["answered"], present["broken"]) == (4, 3, 1)
    assert present["problems"] == {"the message of 6 bytes is no sensor_msgs/msg/Image": 1}
    runs = [(run["outcome"], run["start"], run["end"], run["frames"]) for run in present["over_time"]]
    assert runs == [("one", 1, 1, 1), ("many", 2, 2, 1), ("broken", 3, 3, 1), ("many", 4, 4, 1)]


@pytest.mark.parametrize(("options", "kept"), [((), 50), (("--tracking",), 100)])
def test_scores(capsys, tmp_path, commands, truth, options, kept):
    bag = write_bag(tmp_path / "bag", frames())
    said = figures(capsys, bag, "--commands", commands, "--ground-truth", truth, *options)
    present, absent = (command["scores"] for command in said["commands"])
    # At 2 s only A is right, but A and B are found: 100 of 300 pixels.
    assert present["oIoU"] == pytest.approx(100 * (100 + 100 + 300) / (100 + 300 + 300))
    assert present["mIoU"] == pytest.approx(100 * (1 + 1 / 3 + 1) / 3)
    assert (present["one"], present["many"], present["zero"], present["Acc"]) == (2, 1, 0, None)
    assert (absent["Acc"], absent["zero"], absent["ids kept"]) == (100, 1, None)
    # B is larger and takes the id of A at 2 s, unless ids are tracked; at 4 s all is as at 2 s.
    assert present["ids kept"] == kept
    assert (said["scores"]["zero"], said["scores"]["one"], said["scores"]["many"]) == (1, 2, 1)
    assert said["scores"]["ids kept"] == kept
    assert said["ground_truth"] == {"known": 5, "compared": 4}


@pytest.mark.parametrize("between", ["", ABSENT])
def test_runs_and_ids_end_where_something_else_is_asked(capsys, tmp_path, between):
    """A has id 1 beside a smaller box, and id 2 beside B."""
    messages = [
        (TOPIC, START + at * SECOND, raw(red_boxes(A, B if at > 2 else C), START + at * SECOND))
        for at in range(6)
    ]
    truth = tmp_path / "truth.jsonl"
    truth.write_text("".join(json.dumps(sample(at, PRESENT, A)) + "\n" for at in (0, 1, 3, 4)))
    said = figures(
        capsys,
        write_bag(tmp_path / "bag", messages),
        *("--commands", write_commands(tmp_path, [(0, PRESENT), (1.5, between), (2.5, PRESENT)])),
        *("--ground-truth", truth, "--tracking"),
    )
    runs = [(run["outcome"], run["start"], run["end"]) for run in said["commands"][0]["over_time"]]
    assert runs == [("many", 0, 1), ("many", 3, 5)]
    assert said["scores"]["ids kept"] == 100


def test_topics_that_are_not_read_are_listed(capsys, tmp_path):
    messages = [*frames(), ("/imu", START, header(START)), label_image(1, "mono8", {1: A})]
    evaluate = ("evaluate", write_bag(tmp_path / "bag", messages), "--ground-truth-topic", "/truth")
    evaluate += ("--commands", write_commands(tmp_path, [(0, PRESENT)]), "--report", tmp_path / "page.html")
    imu = {"topic": "/imu", "type": "std_msgs/msg/Header", "encoding": "cdr"}
    assert json.loads(run(capsys, *evaluate, "--json")[1])["skipped"] == [imu]
    assert "not read: /imu (std_msgs/msg/Header)" in run(capsys, *evaluate)[1].splitlines()
    assert "<p>not read: /imu (std_msgs/msg/Header)</p>" in (tmp_path / "page.html").read_text()


def test_what_no_frame_was_asked_has_figures_too(capsys, tmp_path):
    commands = write_commands(tmp_path, [(0, PRESENT), (2.1, "the bus"), (2.2, BOTH), (100, "the cup")])
    said = figures(capsys, write_bag(tmp_path / "bag", frames()), "--commands", commands)
    counts = [(command["command"], command["frames"]) for command in said["commands"]]
    assert counts == [(PRESENT, 6), ("the bus", 0), (ABSENT, 3), ("the cup", 0)]
    assert said["commands"][1]["over_time"] == []


def test_ids_of_the_ground_truth(capsys, tmp_path):
    """The order of the list changes; the ids identify the objects."""
    path = tmp_path / "truth.jsonl"
    samples = [sample(2, PRESENT, A, B, ids=[7, 9]), sample(4, PRESENT, B, A, ids=[9, 7])]
    path.write_text("".join(json.dumps(item) + "\n" for item in samples))
    said = figures(
        capsys,
        write_bag(tmp_path / "bag", frames()),
        *("--commands", write_commands(tmp_path, [(0, PRESENT)]), "--ground-truth", path),
    )
    assert said["scores"]["ids kept"] == 100
    assert said["scores"]["oIoU"] == 100


def label_image(at: int, encoding: str, objects: dict) -> tuple:
    time = START + at * SECOND
    labels = np.zeros((SIDE, SIDE), "<u2" if encoding == "mono16" else np.uint8)
    for name, box in objects.items():
        labels[box_mask(*box)] = name
    rows = np.ascontiguousarray(labels).view(np.uint8).reshape(-1)
    image = TYPES["sensor_msgs/msg/Image"]
    return "/truth", time, image(header(time), SIDE, SIDE, encoding, 0, len(rows) // SIDE, rows)


@pytest.mark.parametrize(("encoding", "name"), [("mono8", 3), ("mono16", 700)])
def test_label_images_as_ground_truth(capsys, tmp_path, encoding, name):
    labels = [
        label_image(1, encoding, {name: A}),
        label_image(2, encoding, {name: A}),
        label_image(4, encoding, {name: A, 1: B}),
        label_image(5, encoding, {}),
    ]
    messages = sorted([*frames(), *labels], key=lambda message: message[1])
    said = figures(
        capsys,
        write_bag(tmp_path / "bag", messages),
        *("--commands", write_commands(tmp_path, [(0, PRESENT)]), "--ground-truth-topic", "/truth"),
    )
    scores = said["scores"]
    assert (scores["zero"], scores["one"], scores["many"], scores["Acc"]) == (1, 2, 1, 0)
    assert scores["oIoU"] == pytest.approx(100 * 500 / 700)
    assert scores["ids kept"] == 50
    assert list(said["topics"]) == [TOPIC]


@pytest.mark.parametrize("options", [(), ("--no-compression",)])
@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_the_answers_as_a_bag(capsys, tmp_path, commands, storage, options):
    bag, output = write_bag(tmp_path / "bag", frames()), tmp_path / "answers"
    figures(capsys, bag, "--commands", commands, "--output", output, "--storage", storage, *options)
    heard: dict[str, list] = {}
    with AnyReader([output]) as reader:
        for connection, time, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            stamp = message.header.stamp.sec * SECOND + message.header.stamp.nanosec
            assert stamp == time + STAMP_OFFSET
            assert message.header.frame_id == "camera_link"
            heard.setdefault(connection.topic, []).append(((time - START) // SECOND, message))
    assert heard.keys() == {"/dmmi/segmentation", "/dmmi/no_target", "/dmmi/labels"}
    said = [(at, m.command_id, m.command, m.status) for at, m in heard["/dmmi/segmentation"]]
    assert said == [(1, 1, PRESENT, 1), (2, 1, PRESENT, 2), (4, 2, PRESENT, 2), (4, 2, ABSENT, 0)]
    ((at, nothing),) = heard["/dmmi/no_target"]
    assert (at, nothing.command_id, nothing.command) == (4, 2, ABSENT)
    assert nothing.presence == pytest.approx(0.1)
    larger, smaller = heard["/dmmi/segmentation"][1][1].instances
    assert [larger.area, smaller.area] == [200, 100]
    assert (larger.roi.x_offset, larger.roi.y_offset, larger.roi.width, larger.roi.height) == B
    assert set(larger.mask.data) == {255}
    labels = heard["/dmmi/labels"][1][1]
    expected = box_mask(*B) + 2 * box_mask(*A).astype(np.uint8)
    assert labels.encoding == "mono8"
    np.testing.assert_array_equal(labels.data.reshape(SIDE, SIDE), expected)


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_answers_are_compressed(capsys, tmp_path, storage):
    messages = [(TOPIC, START + at, raw(red_boxes(A), START + at)) for at in range(100)]
    evaluate = (write_bag(tmp_path / "bag", messages), "--commands", write_commands(tmp_path, [(0, PRESENT)]))
    sizes = []
    for name, options in (("small", ()), ("large", ("--no-compression",))):
        figures(capsys, *evaluate, "--output", tmp_path / name, "--storage", storage, *options)
        sizes.append(sum(file.stat().st_size for file in (tmp_path / name).iterdir()))
    assert sizes[0] < sizes[1] / 3


def test_answers_of_several_cameras(capsys, tmp_path):
    messages = [
        (topic, START + at * SECOND, raw(red_boxes(A), START + at * SECOND))
        for at, topic in enumerate(["/left", "/right", "/left"])
    ]
    bag, output = write_bag(tmp_path / "bag", messages), tmp_path / "answers"
    options = ("--topic", "/left", "/right", "--output", output)
    said = figures(capsys, bag, "--commands", write_commands(tmp_path, [(0, PRESENT)]), *options)
    assert {topic: counts["frames"] for topic, counts in said["topics"].items()} == {"/left": 2, "/right": 1}
    assert [run["topic"] for run in said["commands"][0]["over_time"]] == ["/left", "/right"]
    with AnyReader([output]) as reader:
        counts = {name: topic.msgcount for name, topic in reader.topics.items()}
    assert counts == {
        "/dmmi/left/segmentation": 2,
        "/dmmi/left/labels": 2,
        "/dmmi/right/segmentation": 1,
        "/dmmi/right/labels": 1,
    }


def test_report(capsys, tmp_path, commands):
    report = tmp_path / "report.html"
    bag = write_bag(tmp_path / "<bag>", frames())
    figures(capsys, bag, "--commands", commands, "--report", report)
    page = report.read_text(encoding="utf-8")
    assert "<h1>&lt;bag&gt;, dmmi-lite, offline</h1>" in page
    assert "1 broken: the message of 6 bytes is no sensor_msgs/msg/Image" in page
    assert page.count('src="data:image/jpeg;base64,') == 4
    assert not re.search(r'(?:src|href)="(?!data:)', page)  # it needs nothing beside it
    timeline = ElementTree.fromstring(re.search(r"<svg viewBox.*?</svg>", page).group())
    bars = [(float(bar.get("x")), float(bar.get("width")), bar[0].text) for bar in timeline.iter("rect")]
    # Six frames in 1000 pixels.
    assert [text for *_, text in bars] == [
        "one: 1 frames",
        "many: 1 frames",
        "broken: 1 frames",
        "many: 1 frames",
        "no target: 1 frames",
    ]
    assert [left for left, *_ in bars] == pytest.approx([1e3 / 6 * at for at in (1, 2, 3, 4, 4)], abs=0.1)
    assert {width for _, width, _ in bars} == {166.7}


def test_the_report_has_what_is_beside_the_table(capsys, tmp_path, commands, truth):
    report = tmp_path / "report.html"
    bag = write_bag(tmp_path / "bag", frames())
    figures(capsys, bag, "--commands", commands, "--ground-truth", truth, "--report", report)
    page = report.read_text(encoding="utf-8")
    assert f"<p>{TOPIC}: 6 frames, 2 without a command</p>" in page
    assert "<p>ground truth: 5 right answers, 4 compared</p>" in page
    assert "<p>all answers: oIoU 71.4, mIoU 77.8, Acc 100.0, ids kept 50.0</p>" in page


@pytest.mark.parametrize(("options", "drawn"), [((), 0), (("--report", "report.html"), 4)])
def test_nothing_is_drawn_before_all_is_answered(capsys, tmp_path, commands, monkeypatch, options, drawn):
    """In live evaluation, results that wait for drawing would count as late."""
    events = []

    def heard(name, function):
        return lambda *arguments: (events.append(name), function(*arguments))[1]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Segmenter, "batch", heard("answer", Segmenter.batch))
    monkeypatch.setattr(dmmi_ros.bags.report, "draw_overlay", heard("draw", draw_overlay))
    figures(capsys, write_bag(tmp_path / "bag", frames()), "--commands", commands, *options)
    assert events == sorted(events)
    assert events.count("draw") == drawn


def test_a_report_of_many_frames_has_few_pictures(capsys, tmp_path):
    messages = [(TOPIC, START + at, raw(red_boxes(A), START + at)) for at in range(100)]
    report = tmp_path / "report.html"
    bag = write_bag(tmp_path / "bag", messages)
    figures(capsys, bag, "--commands", write_commands(tmp_path, [(0, PRESENT)]), "--report", report)
    pictures = report.read_text(encoding="utf-8").count("data:image/jpeg")
    assert 4 <= pictures <= 8


def test_table(capsys, tmp_path, commands, truth):
    bag = write_bag(tmp_path / "bag", frames())
    status, text, _ = run(capsys, "evaluate", bag, "--commands", commands, "--ground-truth", truth)
    assert status == 0
    head, present, absent, cameras, known, overall, problem = text.splitlines()
    assert head.split()[:3] == ["command", "frames", "answered"]
    assert re.fullmatch(rf"\s*{PRESENT}( +\d+){{7}}( +[\d.]+){{3}} +71.4 +77.8 +- +50.0", present)
    assert re.fullmatch(rf"\s*{ABSENT}( +\d+){{7}}( +[\d.]+){{3}} +- +- +100.0 +-", absent)
    assert cameras == f"{TOPIC}: 6 frames, 2 without a command"
    assert known == "ground truth: 5 right answers, 4 compared"
    assert overall == "all answers: oIoU 71.4, mIoU 77.8, Acc 100.0, ids kept 50.0"
    assert problem == "1 broken: the message of 6 bytes is no sensor_msgs/msg/Image"


def one_line(capsys, *arguments) -> str:
    status, text, errors = run(capsys, *arguments)
    assert (status, text, len(errors)) == (2, "", 1)
    assert errors[0].startswith("dmmi-bag: ")
    return errors[0].removeprefix("dmmi-bag: ")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--topic", "/other"], f"no images on '/other'; image topics: {TOPIC}"),
        (["--ground-truth", "missing"], "cannot read missing: No such file or directory"),
        (["--ground-truth-topic", "/other"], f"no images on '/other'; image topics: {TOPIC}"),
        (["--report", "no/such/folder.html"], "cannot write no/such/folder.html: does its folder exist?"),
    ],
)
def test_bad_input(capsys, tmp_path, options, complaint):
    bag = write_bag(tmp_path / "bag", frames())
    commands = write_commands(tmp_path, [(0, PRESENT)])
    assert one_line(capsys, "evaluate", bag, "--commands", commands, *options) == complaint


def test_reports_that_cannot_be(capsys, tmp_path, monkeypatch):
    """The error comes before the model runs."""
    monkeypatch.setattr(Segmenter, "from_pretrained", None)
    evaluate = (
        "evaluate",
        write_bag(tmp_path / "bag", frames()),
        "--commands",
        write_commands(tmp_path, SCHEDULE),
    )
    output, page = tmp_path / "answers", tmp_path / "bag" / ".." / "answers"
    assert one_line(capsys, *evaluate, "--report", tmp_path) == f"cannot write {tmp_path}: it is a folder"
    said = one_line(capsys, *evaluate, "--report", page, "--output", output)
    assert said == f"cannot write {page}: --output has the same name"
    assert not output.exists()


def test_it_says_that_an_engine_is_made(capsys, tmp_path, commands):
    figures(capsys, write_bag(tmp_path / "bag", frames()), "--commands", commands)
    assert dmmi_core.engines.export_process.logger.isEnabledFor(logging.INFO)


def test_no_bag(capsys, tmp_path, commands):
    assert one_line(capsys, "evaluate", tmp_path / "none", "--commands", commands).startswith("no bag ")


def test_a_topic_without_frames(capsys, tmp_path, commands):
    bag, output = tmp_path / "bag", tmp_path / "answers"
    with Writer(bag, version=9) as writer:
        writer.add_connection(TOPIC, "sensor_msgs/msg/Image", typestore=STORE)
    said = one_line(capsys, "evaluate", bag, "--commands", commands, "--output", output)
    assert said == f"no frames on {TOPIC} in {bag}"
    assert not output.exists()


def test_ground_truth_that_is_no_text(capsys, tmp_path, commands):
    path = tmp_path / "truth.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    bag = write_bag(tmp_path / "bag", frames())
    said = one_line(capsys, "evaluate", bag, "--commands", commands, "--ground-truth", path)
    assert said == f"cannot read {path}: not UTF-8"


def test_broken_commands(capsys, tmp_path):
    path = tmp_path / "commands.jsonl"
    path.write_text('{"at": 0, "command": "the cat"}\nthe dog\n')
    said = one_line(capsys, "evaluate", write_bag(tmp_path / "bag", frames()), "--commands", path)
    assert said.startswith(f"{path}, line 2: not JSON: ")


def test_label_images_are_for_one_request_at_a_time(capsys, tmp_path, commands):
    bag = write_bag(tmp_path / "bag", [*frames(), label_image(6, "mono8", {})])
    said = one_line(capsys, "evaluate", bag, "--commands", commands, "--ground-truth-topic", "/truth")
    assert said == "--ground-truth-topic goes with one camera and one request at a time"


def test_the_output_must_be_new(capsys, tmp_path, commands):
    bag, output = write_bag(tmp_path / "bag", frames()), tmp_path / "answers"
    evaluate = ("evaluate", bag, "--commands", commands, "--output", output)
    assert run(capsys, *evaluate)[0] == 0
    assert one_line(capsys, *evaluate) == f"{output} exists already: choose another name for the bag"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"stamp": 1.5}, '"topic" must be a text and "stamp" nanoseconds, not '),
        ({"topic": None}, '"topic" must be a text and "stamp" nanoseconds, not '),
        ({"ids": [1, 1]}, '"ids" must be different numbers, one for each segmentation'),
        ({"ids": [1]}, '"ids" must be different numbers, one for each segmentation'),
        ({"ids": ["a", "b"]}, '"ids" must be different numbers, one for each segmentation'),
        ({"ids": 3}, '"ids" must be different numbers, one for each segmentation'),
        ({"kind": "some"}, "kind is 'some'"),
        ({"colour": "red"}, ""),
        *(
            (
                {"ids": None, "kind": "one", "segmentations": [{"size": [SIDE, SIDE], "counts": counts}]},
                BROKEN_RLE,
            )
            for counts in ("", "PPPPPPPP", "zzzz~~~", "0")
        ),
    ],
)
def test_broken_ground_truth(capsys, tmp_path, commands, change, complaint):
    path = tmp_path / "truth.jsonl"
    good = sample(1, PRESENT, A)
    bad = {**sample(2, PRESENT, A, B), **change}
    path.write_text(f"{json.dumps(good)}\n\n{json.dumps(bad)}\n")
    bag = write_bag(tmp_path / "bag", frames())
    said = one_line(capsys, "evaluate", bag, "--commands", commands, "--ground-truth", path)
    assert said.startswith(f"{path}, line 3: {complaint}")


def test_ground_truth_that_is_too_deep(capsys, tmp_path, commands):
    path = tmp_path / "truth.jsonl"
    path.write_text("[" * 100_000)
    bag = write_bag(tmp_path / "bag", frames())
    said = one_line(capsys, "evaluate", bag, "--commands", commands, "--ground-truth", path)
    assert said.startswith(f"{path}, line 1: not JSON: ")


def test_label_images_have_stamps_of_their_own(capsys, tmp_path):
    bag = write_bag(tmp_path / "bag", [*frames(), *(label_image(6, "mono8", {}) for _ in range(2))])
    commands = write_commands(tmp_path, [(0, PRESENT)])
    said = one_line(capsys, "evaluate", bag, "--commands", commands, "--ground-truth-topic", "/truth")
    assert said == f"two label images on '/truth' have the stamp {START + 6 * SECOND + STAMP_OFFSET} ns"


def test_ground_truth_of_another_size(capsys, tmp_path, commands):
    path, output = tmp_path / "truth.jsonl", tmp_path / "answers"
    path.write_text(json.dumps(sample(1, PRESENT, height=32)) + "\n")
    bag = write_bag(tmp_path / "bag", frames())
    evaluate = ("evaluate", bag, "--commands", commands, "--ground-truth", path, "--output", output)
    said = one_line(capsys, *evaluate)
    assert said == f"a frame of {TOPIC} is 64 x 64, but its ground truth 64 x 32"
    assert not output.exists()
