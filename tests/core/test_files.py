"""Atomic files and folders: a full disk, kills, two writers at a time."""

import errno
import os
import signal

import pytest
import torch

from dmmi_core.checkpoints.saved_network import save_model
from dmmi_core.errors import OutputError
from dmmi_core.files import REPLACED, UNFINISHED, full_disk, read_text, replaced_file, replaced_folder
from dmmi_core.training.training_state import LAST, save_state
from helpers.disk import no_room
from helpers.tiny import make_model


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_without_room(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    said = r"cannot write .*a\.bin: File too large; it needs 1\.0 MB, .* are free there; what was there stays"
    with pytest.raises(OutputError, match=said), no_room(), replaced_file(path, needed=10**6) as new:
        new.write_bytes(bytes(10**6))
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.bin"]


def test_a_folder_without_room(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    said = r"it needs more than 20\.0 kB"
    with pytest.raises(OutputError, match=said), no_room(), replaced_folder(tmp_path / "out") as new:
        (new / "a.bin").write_bytes(bytes(10**6))
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["old"]


def test_a_checkpoint_without_room(tmp_path):
    """PyTorch writes by itself, and raises a RuntimeError without a number."""
    save_state({"step": 1}, tmp_path)
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(OutputError, match=rf"cannot write .*{LAST}: .*it needs 4\.0 MB"), no_room():
        save_state({"model": {"weight": torch.ones(1_000_000)}, "optimizer": [3]}, tmp_path)
    assert (tmp_path / LAST).read_bytes() == before and names(tmp_path) == [LAST]


def test_a_model_without_room(tmp_path, tokenizer):
    """Safetensors writes by itself too."""
    with (
        pytest.raises(OutputError, match=r"cannot write .*model: File too large; it needs .* [kM]B"),
        no_room(),
    ):
        save_model(make_model(), tokenizer, tmp_path / "model")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EDQUOT, "?"), "Disk quota exceeded"),
        (RuntimeError('I/O error: Os { code: 28, kind: StorageFull, message: "No space" }'), "No space left"),
        (RuntimeError("No space left on device (os error 28)"), "No space left on device"),
        (OSError(errno.EACCES, "Permission denied"), None),
        (RuntimeError("code: 280"), None),
    ],
    ids=str,
)
def test_what_a_full_disk_is_called(error, said):
    found = full_disk(error)
    assert found is None if said is None else found.startswith(said)


def test_other_errors_are_as_they_are(tmp_path):
    with pytest.raises(PermissionError), replaced_file(tmp_path / "a"):
        raise PermissionError
    with pytest.raises(KeyError), replaced_folder(tmp_path / "b"):
        raise KeyError("room")
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    child = os.fork()
    if child == 0:
        with replaced_folder(tmp_path / "out") as new:
            (new / "half").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    assert left.suffix == UNFINISHED
    (tmp_path / ".out-old_data").mkdir()  # not ours
    with replaced_folder(tmp_path / "out") as new:
        (new / "whole").touch()
    assert names(tmp_path) == [".out-old_data", "out"] and names(tmp_path / "out") == ["whole"]


def test_one_writer_leaves_the_other_alone(tmp_path):
    with replaced_folder(tmp_path / "out") as first, replaced_folder(tmp_path / "out") as second:
        (first / "first").touch()
        (second / "second").touch()
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["first"]


@pytest.mark.parametrize("replacement", [False, True])
def test_a_kill_between_two_renames(tmp_path, replacement):
    """The folder that was taken away comes back, unless the new one has its place."""
    (tmp_path / f".out-abcdefgh{REPLACED}").mkdir()
    (tmp_path / f".out-abcdefgh{REPLACED}" / "old").touch()
    if replacement:
        (tmp_path / "out").mkdir()
    with pytest.raises(KeyError), replaced_folder(tmp_path / "out"):
        raise KeyError
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ([] if replacement else ["old"])


def test_small_files_only(tmp_path):
    (tmp_path / "a").write_text("añb", encoding="utf-8")
    assert read_text(tmp_path / "a", most=4) == "añb"
    for path, most in ((tmp_path / "a", 3), ("/dev/zero", 1000)):
        with pytest.raises(OSError, match=f"more than {most:,} bytes"):
            read_text(path, most=most)
