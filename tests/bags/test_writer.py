"""Bags and reports that cannot be written: one line of error, and no files left behind."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from rosbags.rosbag2.storage_mcap import McapWriter
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Writer

from dmmi_core.errors import InputError, OutputError
from dmmi_core.visualization.html import write_page
from dmmi_ros.bags.typestore import make_header
from dmmi_ros.bags.writer import new_bag

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
SAID = {"mcap": "No space left on device", "sqlite3": "database or disk is full"}
ERRORS = {"mcap": FULL, "sqlite3": sqlite3.OperationalError("database or disk is full")}
WRITERS = {"mcap": McapWriter, "sqlite3": Sqlite3Writer}


@pytest.mark.parametrize("step", ["__init__", "add_connection", "write", "close"])
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_full_disk(tmp_path, monkeypatch, storage, step):
    def fail(*_arguments):
        raise ERRORS[storage]

    monkeypatch.setattr(WRITERS[storage], step, fail)
    path = tmp_path / "bag"
    with pytest.raises(InputError) as raised, new_bag(path, storage=storage) as bag:
        bag.write("/header", make_header(bag.typestore, 5, "camera"), time=5)
    assert str(raised.value) == f"cannot write {path}: {SAID[storage]}"
    assert not path.exists()


def test_errors_of_others_are_their_own(tmp_path):
    with pytest.raises(OSError) as raised, new_bag(tmp_path / "bag", storage="mcap"):
        raise FULL
    assert raised.value is FULL
    assert not (tmp_path / "bag").exists()


def test_a_page_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    page = tmp_path / "report.html"
    write_page(page, "before", [["a"]], [])
    before = page.read_text()

    def write_half(path, text, **_options):
        with path.open("w") as file:
            file.write(text[:10])
        raise FULL

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OutputError) as raised:
        write_page(page, "after", [["a"]], [])
    assert str(raised.value).startswith(f"cannot write {page}: No space left on device; ")
    assert page.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == [page.name]
