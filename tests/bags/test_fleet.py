"""`dmmi-bag evaluate` with several bags, in one process."""

import io
import itertools
import json
import re
import shutil
import sys

import pytest

import dmmi_ros.bags.fleet.job
from dmmi_core.segmenter import Segmenter
from dmmi_ros.bags.cli import main
from dmmi_ros.bags.fleet.find_bags import find_bags
from helpers.fleets import BOXES, TRUE_BOXES, without_times, write_fleet, write_questions
from helpers.recordings import START, TOPIC, raw, red_boxes, write_bag
from helpers.tiny import ABSENT, PRESENT

pytestmark = pytest.mark.usefixtures("red_finder")
NAMES = list(BOXES)


@pytest.fixture
def fleet(tmp_path):
    return write_fleet(tmp_path / "fleet")


@pytest.fixture
def questions(tmp_path):
    return write_questions(tmp_path / "questions")


@pytest.fixture
def evaluated(monkeypatch):
    """The names of the bags that were evaluated."""
    names = []
    evaluate = dmmi_ros.bags.fleet.job.Evaluator.evaluate
    monkeypatch.setattr(
        dmmi_ros.bags.fleet.job.Evaluator,
        "evaluate",
        lambda self, job: (names.append(job.name), evaluate(self, job))[1],
    )
    return names


def run(capsys, *arguments) -> tuple[int, dict, list[str]]:
    status = main(["evaluate", *map(str, arguments), "--json"])
    output = capsys.readouterr()
    return status, json.loads(output.out) if output.out else {}, output.err.splitlines()


def test_each_bag_and_the_total(capsys, fleet, questions):
    status, said, errors = run(capsys, fleet, *questions)
    assert (status, errors, said["failed"], said["mode"]) == (0, [], 0, "offline")
    assert [bag["bag"] for bag in said["bags"]] == NAMES
    for bag in said["bags"]:
        alone = run(capsys, fleet / bag["bag"], *questions)[1]
        shared = {name: value for name, value in without_times(bag).items() if name not in ("bag", "engine")}
        assert shared == {name: value for name, value in without_times(alone).items() if name in shared}
    total = said["total"]
    assert total["seconds"] == 2 + 1 + 3
    assert total["topics"] == {TOPIC: {"frames": 9, "without_command": 0}}
    present, absent = total["commands"]
    names = ("command", "frames", "answered", "no_target", "one", "many")
    assert [present[name] for name in names] == [PRESENT, 9, 9, 2, 5, 2]
    assert [absent[name] for name in names] == [ABSENT, 9, 9, 9, 0, 0]
    assert 0 < present["latency_ms"]["50"] <= present["latency_ms"]["99"]
    assert total["ground_truth"] == {"known": 9, "compared": 9}


def test_scores_of_the_total(capsys, fleet, questions):
    total = run(capsys, fleet, *questions)[1]["total"]["scores"]
    pairs = []
    for boxes, true_box in zip(itertools.chain(*BOXES.values()), TRUE_BOXES, strict=True):
        true, found = set(pixels(true_box)), {pixel for box in boxes for pixel in pixels(box)}
        pairs.append((len(true & found), len(true | found)))
    assert total["oIoU"] == pytest.approx(100 * sum(i for i, _ in pairs) / sum(u for _, u in pairs))
    assert total["mIoU"] == pytest.approx(100 * sum(i / u for i, u in pairs) / len(pairs))
    assert total["one"] == len(pairs)
    assert total["ids kept"] == 0  # B is larger and takes the id of A


def pixels(box):
    x, y, width, height = box
    return [(column, row) for column in range(x, x + width) for row in range(y, y + height)]


def test_worst_answers_come_first(capsys, tmp_path, fleet, questions):
    page = tmp_path / "report.html"
    said = run(capsys, fleet, *questions, "--report", page)[1]
    scores = [answer["iou"] for answer in said["worst"]]
    assert len(scores) == 9 and scores == sorted(scores) and scores[0] == 0 and scores[-1] == 1
    assert {answer["bag"] for answer in said["worst"]} == set(NAMES)
    captions = re.findall("<figcaption>(.*?)</figcaption>", page.read_text())
    shown = [float(re.search(r"IoU ([\d.]+) %", caption).group(1)) for caption in captions]
    assert shown == [round(100 * score, 1) for score in scores]


def test_without_ground_truth_doubtful_answers_are_the_worst(capsys, tmp_path, fleet, questions):
    page = tmp_path / "report.html"
    said = run(capsys, fleet, *questions[:2], "--report", page)[1]
    margins = [abs(each["presence"] - each["presence_threshold"]) for each in said["worst"]]
    assert len(margins) == 18 and margins == sorted(margins)
    assert page.read_text().count("<figcaption>") == 18


def test_a_page_for_all(capsys, tmp_path, fleet, questions):
    page = tmp_path / "report.html"
    run(capsys, fleet, *questions, "--report", page)
    text = page.read_text()
    assert "<h1>3 bags, dmmi-lite, offline</h1>" in text
    assert "<td>north/drive</td><td>2.0</td><td>3</td><td>6</td>" in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)


def test_as_tables(capsys, fleet, questions):
    assert main(["evaluate", str(fleet), *map(str, questions)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == NAMES
    assert lines[5].split()[:2] == ["command", "frames"]
    assert lines[6].split()[:3] == ["the", "dogs", "9"]
    assert re.fullmatch(r"6\.0 s of recording, evaluated in [\d.]+ s of work", lines[-1])


def test_a_bag_that_fails_is_reported(capsys, tmp_path, fleet, questions, evaluated):
    write_bag(fleet / "blind", [("/header", START, raw(red_boxes(), START).header)])
    page = tmp_path / "report.html"
    status, said, errors = run(capsys, fleet, tmp_path / "none", *questions, "--report", page)
    assert status == 2
    assert [("error" in bag, bag["bag"].split("/")[-1]) for bag in said["bags"]] == [
        (True, "blind"),
        (False, "drive"),
        (False, "drive"),
        (False, "west"),
        (True, "none"),
    ]
    assert errors[0] == f"fleet/blind: the bag {fleet / 'blind'} has no images"
    assert errors[1].startswith("none: no bag ")
    assert errors[2:] == ["dmmi-bag: 2 of 5 bags could not be evaluated"]
    assert said["failed"] == 2 and said["total"]["topics"][TOPIC]["frames"] == 9
    assert f"<p>fleet/blind: the bag {fleet / 'blind'} has no images</p>" in page.read_text()
    evaluated.clear()
    assert run(capsys, fleet, tmp_path / "none", *questions, "--report", page)[1:] == (said, errors)
    assert evaluated == ["fleet/blind", "none"]  # they might be whole by now


def test_any_error_is_one_line_of_its_bag(capsys, fleet, questions, monkeypatch):
    monkeypatch.setattr(Segmenter, "warm_up", lambda self: 1 / 0)
    status, said, errors = run(capsys, fleet, *questions)
    assert (status, said["failed"], len(errors)) == (2, 3, 4)
    assert errors[0] == "north/drive: ZeroDivisionError: division by zero"
    assert said["total"]["commands"] == said["worst"] == []


def interrupt_at(bag, evaluated, monkeypatch):
    """Interrupt the evaluation in the midst of a bag."""
    batch = Segmenter.batch

    def interrupted(self, images, texts, options=None):
        if evaluated[-1:] == [bag]:
            raise KeyboardInterrupt
        return batch(self, images, texts, options)

    monkeypatch.setattr(Segmenter, "batch", interrupted)
    return lambda: monkeypatch.setattr(Segmenter, "batch", batch)


def test_an_interrupted_run_goes_on(capsys, tmp_path, fleet, questions, evaluated, monkeypatch):
    expected = run(capsys, fleet, *questions)[1]
    evaluated.clear()
    go_on = interrupt_at("south/drive", evaluated, monkeypatch)
    report = ("--report", tmp_path / "report.html", "--output", tmp_path / "answers")
    assert run(capsys, fleet, *questions, *report)[0] == 130
    assert evaluated == ["north/drive", "south/drive"]
    assert [path.name for path in (tmp_path / "answers").rglob("metadata.yaml")] == ["metadata.yaml"]
    go_on()
    status, said, _ = run(capsys, fleet, *questions, *report)
    assert status == 0
    assert evaluated == ["north/drive", "south/drive", "south/drive", "west"]
    assert without_times(said["total"]) == without_times(expected["total"])
    answers = sorted(
        path.parent.relative_to(tmp_path / "answers").as_posix()
        for path in (tmp_path / "answers").rglob("metadata.yaml")
    )
    assert answers == NAMES


def change_bag(fleet, questions):
    write_bag(fleet / "spare", [(TOPIC, START, raw(red_boxes(), START))])
    (fleet / "spare" / "spare.mcap").rename(fleet / "west" / "west.mcap")
    shutil.rmtree(fleet / "spare")
    return []


def change_commands(fleet, questions):
    questions[1].write_text('{"at": 0, "command": "the dogs"}\n')
    return []


def change_truth(fleet, questions):
    lines = questions[3].read_text().splitlines(keepends=True)
    questions[3].write_text("".join(lines[1:]))
    return []


def change_model(fleet, questions):
    (fleet / "model").mkdir()
    return ["--model", fleet / "model"]


def damage_state(fleet, questions):
    for path in (fleet.parent / "report.state").iterdir():
        path.write_text(path.read_text()[:100])
    return []


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda *_: [], []),
        (lambda *_: ["--tracking"], NAMES),
        (lambda *_: ["--engine", "onnx"], NAMES),
        (change_bag, ["west"]),
        (change_commands, NAMES),
        (change_truth, NAMES),
        (change_model, NAMES),
        (damage_state, NAMES),
    ],
)
def test_only_what_changed_is_evaluated_again(capsys, tmp_path, fleet, questions, evaluated, change, again):
    arguments = (fleet, *questions, "--report", tmp_path / "report.html")
    assert run(capsys, *arguments)[0] == 0
    evaluated.clear()
    options = change(fleet, questions)
    status, said, _ = run(capsys, *arguments, *options)
    assert (status, evaluated) == (0, again)
    assert len(said["bags"]) == 3


def test_answers_of_each_bag(capsys, tmp_path, fleet, questions):
    output = tmp_path / "answers"
    leftover = output / "north" / ".drive-unfinished" / "drive"
    leftover.mkdir(parents=True)
    (leftover / "drive.mcap").write_bytes(b"of a run that was killed")
    assert run(capsys, fleet, *questions, "--output", output)[0] == 0
    assert list(find_bags([output])) == NAMES
    assert not leftover.exists()
    status, said, errors = run(capsys, fleet, *questions, "--output", output)
    assert (status, said["failed"]) == (2, 3)
    assert errors[0].startswith(f"north/drive: {output / 'north/drive'} exists already: ")


def test_each_bag_may_have_commands_of_its_own(capsys, tmp_path, fleet):
    folder = tmp_path / "commands"
    for name, text in zip(NAMES, (PRESENT, ABSENT, PRESENT), strict=True):
        path = folder / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"at": 0, "command": text}) + "\n")
    said = run(capsys, fleet, "--commands", folder)[1]
    assert [[c["command"] for c in bag["commands"]] for bag in said["bags"]] == [
        [PRESENT],
        [ABSENT],
        [PRESENT],
    ]
    assert [(c["command"], c["frames"]) for c in said["total"]["commands"]] == [(PRESENT, 7), (ABSENT, 2)]


def test_finding_bags(tmp_path, fleet):
    assert list(find_bags([fleet])) == NAMES
    assert list(find_bags([fleet / "west", fleet / "north", fleet / "west"])) == ["west", "north/drive"]
    assert list(find_bags([fleet], besides=fleet / "north")) == ["south/drive", "west"]
    (fleet / "west" / "west.mcap").rename(fleet / "alone.mcap")
    (fleet / "west" / "metadata.yaml").unlink()
    assert list(find_bags([fleet])) == ["alone.mcap", "north/drive", "south/drive"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--live", "--workers", "2"], "--live plays one bag at a time: it goes without --workers"),
        (["--commands", "missing"], "cannot read missing: No such file or directory"),
    ],
)
def test_bad_input(capsys, fleet, questions, options, complaint):
    assert run(capsys, fleet, *questions, *options) == (2, {}, [f"dmmi-bag: {complaint}"])


@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_the_number_of_workers_is_checked(capsys, fleet, questions, count):
    with pytest.raises(SystemExit) as raised:
        run(capsys, fleet, *questions, f"--workers={count}")
    assert raised.value.code == 2
    assert "is not a whole number of at least 1" in capsys.readouterr().err


def test_a_progress_bar(capsys, fleet, questions, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert run(capsys, fleet, *questions)[0] == 0
    assert "3/3" in sys.stderr.getvalue()
