"""The base installation: an exported model runs where PyTorch and its companions are not installed."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from dmmi_core.extras import EXTRAS

ABSENT = (*EXTRAS["torch"], *EXTRAS["train"], *EXTRAS["web"])
BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Absent())
"""


def run(code: str, *arguments: str, absent: tuple[str, ...] = ABSENT) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", BLOCKED.format(absent=absent) + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("engine", ["auto", "onnx", "openvino"])
def test_segment(exported, engine, tmp_path):
    photograph = str(tmp_path / "photograph.png")
    cv2.imwrite(photograph, np.full((48, 64, 3), 90, np.uint8))
    arguments = ("segment", photograph, "the dog", "--model", str(exported), "--engine", engine, "--json")
    done = run("from dmmi_core.cli import main; sys.exit(main())", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["text"] == "the dog"


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["train", "recipe.yaml"], "dmmi[torch,train]"),
        (["evaluate", "--samples", "samples.jsonl", "--images", "."], "dmmi[torch,train]"),
        (["compare", "dmmi-lite", "--samples", "samples.jsonl", "--images", "."], "dmmi[torch,train]"),
        (["build-samples", "out.jsonl", "--cityscapes", "."], "dmmi[torch]"),
        (["web"], "dmmi[web]"),
        (["convert", "released.pth", "out"], "dmmi[torch]"),
        (["export", "dmmi-lite", "out"], "dmmi[torch]"),
        (["benchmark"], "dmmi[torch]"),
        (["build-refzom", "--annotations", "instances.json", "out"], "dmmi[torch]"),
        (["segment", "photograph.png", "the dog", "--engine", "torch"], "dmmi[torch]"),
    ],
)
def test_what_needs_an_extra_names_it(arguments, extra, tmp_path):
    cv2.imwrite(str(tmp_path / "photograph.png"), np.full((48, 64, 3), 90, np.uint8))
    done = run(
        f"import os; os.chdir({str(tmp_path)!r})\nfrom dmmi_core.cli import main; sys.exit(main())",
        *arguments,
    )
    assert done.returncode == 2
    assert f"pip install '{extra}'" in done.stderr and len(done.stderr.splitlines()) == 1


EVERY_COMMAND = """
import contextlib, io, os
from dmmi_core.cli import main
os.chdir(sys.argv[1])
for line in open("commands"):
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = main(line.split())
    except SystemExit as ended:
        status = ended.code
    print(status, *said.getvalue().strip().splitlines()[-1:], line.strip(), sep=" | ")
"""
COMMANDS = """
segment photograph.png dog --model nowhere --engine torch
train nowhere.yaml
evaluate --samples nowhere.jsonl --images .
calibrate --recipe nowhere.yaml
convert nowhere.pth out
export nowhere out
build-refzom out --annotations nowhere.json
benchmark --model nowhere --image photograph.png --runs 1
compare nowhere --samples nowhere.jsonl --images .
build-samples out.jsonl --cityscapes nowhere
web --model nowhere
"""


@pytest.mark.parametrize("module", [module for extra in EXTRAS.values() for module in extra])
def test_no_command_ends_in_a_missing_module(module, tmp_path):
    """Whichever one package is missing, each command says so, or reports what else is wrong."""
    cv2.imwrite(str(tmp_path / "photograph.png"), np.full((48, 64, 3), 90, np.uint8))
    (tmp_path / "commands").write_text(COMMANDS.strip() + "\n")
    done = run(EVERY_COMMAND, str(tmp_path), absent=(module,))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(COMMANDS.split("\n")) - 2
    for line in lines:
        status, said, _ = line.split(" | ")
        assert status == "2" and said.startswith("dmmi: ") and "Error" not in said, line


def test_scores_of_a_bag_name_their_extra():
    arguments = ("evaluate", "bag", "--commands", "commands.jsonl", "--ground-truth", "truth.jsonl")
    done = run("from dmmi_ros.bags.cli import main; sys.exit(main())", *arguments)
    assert done.returncode == 2
    assert done.stderr == "dmmi-bag: this needs torchmetrics: pip install 'dmmi[train]'\n"
