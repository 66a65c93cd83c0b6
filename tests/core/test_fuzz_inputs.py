"""A short run of `benchmarks/fuzz_inputs.py`: no command ends in a traceback, whatever file is damaged."""

import importlib.util
import sys

import pytest

from helpers.paths import ROOT

FILES = 6
"""Of each kind."""


@pytest.fixture(scope="module")
def driver():
    sys.path.insert(0, str(ROOT / "benchmarks"))  # for the module that makes the damage
    try:
        spec = importlib.util.spec_from_file_location("fuzz_inputs", ROOT / "benchmarks" / "fuzz_inputs.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return module


@pytest.fixture(scope="module")
def workspace(driver, tmp_path_factory):
    return driver.Workspace(tmp_path_factory.mktemp("workspace"))


KINDS = (
    "config",
    "weights",
    "tokenizer",
    "checkpoint",
    "recipe",
    "samples",
    "refs",
    "instances",
    "refzom",
)


def test_every_kind_is_tried(driver):
    assert tuple(driver.KINDS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(driver, workspace, kind):
    outcomes = [driver.attempt(workspace, kind, number, seed=1) for number in range(FILES)]
    assert set(outcomes) <= {"used", "refused"}, outcomes
    assert "refused" in outcomes


def test_a_fault_would_be_seen(driver, workspace, monkeypatch):
    def fail(work, kind, rng):
        raise KeyError("bbox")

    monkeypatch.setattr(driver.Workspace, "run", fail)
    assert driver.attempt(workspace, "config", 0, seed=0).startswith("traceback: KeyError at ")
    monkeypatch.setattr(driver.Workspace, "run", lambda *_: 1)
    assert driver.attempt(workspace, "config", 0, seed=0).startswith("status 1")
