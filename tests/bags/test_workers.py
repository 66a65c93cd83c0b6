"""Bags that several processes evaluate."""

import json
import os
from pathlib import Path

import pytest

from dmmi_core.errors import ModelError
from dmmi_ros.bags.cli import main
from dmmi_ros.bags.evaluation import Options
from dmmi_ros.bags.fleet.job import BagResult, Job
from dmmi_ros.bags.fleet.workers import Processes, evaluate_all
from helpers.fleets import BOXES, without_times, write_fleet, write_questions


def figures(capsys, *arguments) -> dict:
    status = main(["evaluate", *map(str, arguments), "--engine", "torch", "--device", "cpu", "--json"])
    output = capsys.readouterr()
    assert (status, output.err) == (0, "")
    return without_times(json.loads(output.out))


def test_the_same_figures_as_one_process(capsys, tmp_path, loose_model):
    evaluate = [write_fleet(tmp_path / "fleet"), *write_questions(tmp_path), "--model", loose_model]
    alone = figures(capsys, *evaluate)
    assert alone["total"]["scores"]["mIoU"] > 0
    assert figures(capsys, *evaluate, "--workers", 2) == alone


class Bomb:
    """Ends the process that receives it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_process_that_ends(tmp_path, loose_model):
    fleet, (_, commands, *_) = write_fleet(tmp_path / "fleet"), write_questions(tmp_path)
    options = Options(commands, model=str(loose_model), engine="torch", device="cpu")
    jobs = [Job("bomb", Bomb(), options), *(Job(name, fleet / name, options) for name in BOXES)]
    workers = Processes(options, 1)
    results = {result.name: result.error for result in evaluate_all(jobs, workers)}
    workers.close()
    assert results.pop("bomb") == "its process ended 2 times: is there enough memory?"
    assert results == dict.fromkeys(BOXES, "")


def test_a_model_that_cannot_be_opened(tmp_path):
    options = Options(tmp_path / "commands.jsonl", model="nothing")
    with pytest.raises(ModelError, match=r"^no model 'nothing'"):
        Processes(options, 2)


class Unreliable:
    """Workers that end at the bags in `ends`, each as often as it is listed; the others work at once."""

    count = 2

    def __init__(self, *ends: str):
        self.ends = list(ends)
        self.under_way: dict[int, Job] = {}

    def start(self, number, job):
        assert number not in self.under_way
        self.under_way[number] = job

    def wait(self):
        number, job = self.under_way.popitem()
        if job.name in self.ends:
            self.ends.remove(job.name)
            return number, None
        return number, BagResult(job.name)


def test_a_bag_is_tried_again_once():
    jobs = [Job(name, Path(name), Options(Path())) for name in "abcd"]
    results = list(evaluate_all(jobs, Unreliable("b", "c", "c")))
    assert sorted((result.name, bool(result.error)) for result in results) == [
        ("a", False),
        ("b", False),
        ("c", True),
        ("d", False),
    ]
