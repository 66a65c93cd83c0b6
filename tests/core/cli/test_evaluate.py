"""`dmmi evaluate`: what it prints and writes, alone and as several processes."""

import json
import os
import subprocess
import sys

import pytest

from dmmi_core import extras
from dmmi_core.cli import main

METRICS = "oIoU mIoU Acc Prec@0.5 Prec@0.7 Prec@0.9 gIoU cIoU N-acc T-acc".split()  # noqa: SIM905
INSTANCE_METRICS = ["instance_P", "instance_R", "instance_F1"]


@pytest.fixture
def arguments(questions, model) -> list[str]:
    return [
        *("evaluate", "--model", str(model), "--device", "cpu", "--batch-size", "2"),
        *("--samples", str(questions / "samples.jsonl"), "--images", str(questions)),
    ]


def run(capsys, *arguments) -> tuple[int, list[str], list[str]]:
    """Exit status, and the lines on stdout and stderr."""
    status = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return status, output.out.splitlines(), output.err.splitlines()


def test_json(capsys, arguments):
    status, (line,), errors = run(capsys, *arguments, "--json")
    assert (status, errors) == (0, [])
    scores = json.loads(line)
    assert list(scores) == [*METRICS, "zero", "one", "many", "by_kind", *INSTANCE_METRICS]
    assert [scores[kind] for kind in ("zero", "one", "many")] == [3, 2, 2]
    assert list(scores["by_kind"]) == ["zero", "one", "many"]
    assert scores["by_kind"]["zero"]["Acc"] == scores["Acc"]


def test_table(capsys, arguments, questions, tmp_path):
    lines = (questions / "samples.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "one.jsonl").write_text("".join(line for line in lines if '"one"' in line))
    status, lines, _ = run(capsys, *arguments, "--samples", tmp_path / "one.jsonl")
    head, *rows = (line.split() for line in lines)
    assert (status, head) == (0, ["samples", *METRICS, *INSTANCE_METRICS])
    assert [row[:2] for row in rows] == [["all", "2"], ["one", "2"], ["many", "0"], ["zero", "0"]]
    cells = dict(zip(head, rows[0][1:], strict=True))
    assert (cells["Acc"], cells["N-acc"]) == ("-", "-") and 0 <= float(cells["mIoU"]) <= 100
    assert set(rows[2][2:]) == set(rows[3][2:]) == {"-"}
    assert len({len(line) for line in lines}) == 1, "columns are aligned"


def test_released_protocol(capsys, arguments):
    scores = json.loads(run(capsys, *arguments, "--json", "--protocol", "released")[1][0])
    assert "Prec@0.6" in scores and "Prec@0.8" in scores
    rejecting = [*arguments, "--json", "--presence-threshold", "1.1"]
    assert json.loads(run(capsys, *rejecting, "--protocol", "released")[1][0]) == scores
    assert json.loads(run(capsys, *rejecting)[1][0])["Acc"] == 100


def test_two_processes_score_as_one(capsys, arguments, tmp_path):
    """Seven samples: one process has four of them, the other three."""
    report = ["--json", "--presence-threshold", "0.61", "--visualize", "5", "--report"]
    _, (line,), _ = run(capsys, *arguments, *report, tmp_path / "alone.html")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = subprocess.run(
        [*launcher, "-m", "dmmi_core.cli", *arguments, *report, str(tmp_path / "together.html")],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.returncode == 0, process.stderr
    alone, together = json.loads(line), json.loads(process.stdout)  # one object, of both processes
    assert alone["zero"] + alone["one"] + alone["many"] == 7
    assert 0 < alone["mIoU"] < 100 and 0 < alone["Acc"] < 100
    for scores, expected in zip(*([s, *s.pop("by_kind").values()] for s in (together, alone)), strict=True):
        assert scores == pytest.approx(expected, abs=1e-9)
    assert (tmp_path / "together.html").read_bytes() == (tmp_path / "alone.html").read_bytes()
    assert process.stderr.count("the worst answers are in") == 1


def test_report(capsys, arguments, tmp_path):
    page = tmp_path / "worst.html"
    status, _, _ = run(capsys, *arguments, "--visualize", 3, "--report", page)
    assert (status, page.read_text().count("<section>")) == (0, 3)


def test_no_report_unless_asked_for(capsys, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, *arguments)[0] == 0
    assert list(tmp_path.iterdir()) == []
    assert run(capsys, *arguments, "--visualize", 1)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.html"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--protocol", "paper"], "protocol is 'paper'; it must be one of native, released"),
        (["--split", "val"], "--split goes with --recipe"),
        (["--images", "nowhere"], "no such image file: nowhere/a.png"),
        (["--visualize", "3", "--report", "nowhere/a.html"], "cannot write nowhere/a.html"),
        (["--visualize", "3", "--report", "."], "cannot write .: Is a directory"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, more, message):
    status, _, errors = run(capsys, *arguments, *more)
    assert status == 2 and len(errors) == 1 and errors[0].startswith("dmmi: ") and message in errors[0]


@pytest.mark.parametrize("option", ["--batch-size", "--workers", "--visualize"])
@pytest.mark.parametrize("value", ["0", "-1", "two"])
def test_numbers_are_positive(capsys, arguments, option, value):
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, option, value])
    assert stopped.value.code == 2
    assert f"argument {option}: {value!r} is not a whole number of at least 1" in capsys.readouterr().err


def test_what_is_not_installed(capsys, arguments, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "torchmetrics" else name)
    message = "dmmi: this needs torchmetrics: pip install 'dmmi[train]'"
    assert run(capsys, *arguments) == (2, [], [message])
