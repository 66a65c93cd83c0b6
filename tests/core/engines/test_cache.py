"""The cache of exported models: found again, and never trusted where anything has changed."""

import os
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from dmmi_core.checkpoints.model_folder import WEIGHTS, read_config
from dmmi_core.engines import cache
from dmmi_core.engines.cache import UNFINISHED_DAYS, UNUSED_DAYS, CacheError, cache_folder, cached
from dmmi_core.engines.manifest import MANIFEST, write_manifest


@pytest.fixture
def folder(model_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DMMI_CACHE", str(tmp_path / "cache"))
    return copytree(model_folder, tmp_path / "model")


class Exporter:
    """Counts how often it is needed."""

    def __init__(self):
        self.calls = 0

    def __call__(self, folder: Path, on_progress=None) -> None:
        self.calls += 1
        (folder / "frame.onnx").write_text("graph")
        write_manifest(folder, read_config(folder), files=("frame.onnx",), disagreement={"onnx:fp32": 0.0})


@pytest.fixture
def export(monkeypatch):
    exporter = Exporter()
    monkeypatch.setattr(cache, "export_in_child", exporter)
    return exporter


def entry_of(folder: Path, **changes) -> Path:
    return cached(folder, replace(read_config(folder), **changes))[0]


def test_made_once(folder, export):
    entry, manifest = cached(folder, read_config(folder))
    assert manifest.disagreement == {"onnx:fp32": 0.0}
    assert entry_of(folder) == entry
    assert export.calls == 1


MANIFESTS = {
    "empty manifest": "",
    "nested manifest": "[" * 100_000,
    "list": "[]",
    "list for text": '{"config": [], "disagreement": {}, "files": {}}',
    "list for numbers": '{"config": "", "disagreement": [], "files": {}}',
    "file elsewhere": '{"config": "", "disagreement": {}, "files": {"/dev/zero": ""}}',
}


@pytest.mark.parametrize("damage", ["changed", "missing", "no manifest", *MANIFESTS])
def test_damaged_entries_are_made_again(folder, export, damage, caplog):
    entry = entry_of(folder)
    if damage == "changed":
        (entry / "frame.onnx").write_text("Graph")
    elif damage == "missing":
        (entry / "frame.onnx").unlink()
    elif damage == "no manifest":
        (entry / MANIFEST).unlink()
    else:
        (entry / MANIFEST).write_text(MANIFESTS[damage])
    assert entry_of(folder) == entry
    assert export.calls == 2
    assert (entry / "frame.onnx").read_text() == "graph"
    assert "is damaged; making it again" in caplog.text


def test_what_an_entry_depends_on(folder, export, monkeypatch):
    entry = entry_of(folder)
    assert entry_of(folder, presence_threshold=0.9, presence_temperature=2.0) == entry
    entries = {entry, entry_of(folder, image_size=128)}
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"\0")
    entries.add(entry_of(folder))
    monkeypatch.setattr(cache, "installed_version", lambda package: "0")
    entries.add(entry_of(folder))
    assert len(entries) == 4 == export.calls


@pytest.mark.usefixtures("export")
def test_what_has_not_been_used_for_long_is_removed(folder):
    entry = entry_of(folder)
    long_ago = entry.stat().st_mtime - (UNUSED_DAYS + 1) * 24 * 3600
    os.utime(entry, (long_ago, long_ago))
    other = cache_folder() / "not an entry"
    other.mkdir()
    os.utime(other, (long_ago, long_ago))
    entry_of(folder, image_size=128)
    assert not entry.exists() and other.exists()


@pytest.mark.usefixtures("export")
def test_what_was_killed_while_it_was_made_is_removed(folder):
    entry = entry_of(folder)
    left, fresh = (cache_folder() / f".graphs-{name}" for name in ("left", "fresh"))
    for each in (left, fresh):
        (each / "frame.onnx").mkdir(parents=True)
    long_ago = entry.stat().st_mtime - (UNFINISHED_DAYS + 1) * 24 * 3600
    os.utime(left, (long_ago, long_ago))
    entry_of(folder, image_size=128)
    assert not left.exists() and fresh.exists()


def test_a_cache_that_may_only_be_read(folder, export, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    entry = entry_of(folder)
    monkeypatch.setattr(os, "utime", refuse)
    assert entry_of(folder) == entry
    assert export.calls == 1


@pytest.mark.usefixtures("export")
def test_a_cache_that_cannot_be_written(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DMMI_CACHE", str(tmp_path / "file"))
    with pytest.raises(CacheError, match=r"cannot write .* set DMMI_CACHE to another folder"):
        entry_of(folder)


def test_an_export_that_fails_leaves_nothing(folder, monkeypatch):
    def fail(new: Path, on_progress=None) -> None:
        (new / "frame.onnx").write_text("half")
        raise RuntimeError("no memory")

    monkeypatch.setattr(cache, "export_in_child", fail)
    with pytest.raises(RuntimeError):
        entry_of(folder)
    assert list(cache_folder().iterdir()) == []


def test_where_it_is(monkeypatch):
    monkeypatch.setenv("DMMI_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/dmmi")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "dmmi"
