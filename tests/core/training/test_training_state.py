"""Training checkpoints: rotation, verification, and recovery from a damaged one."""

import logging

import pytest
import torch

from dmmi_core.errors import ModelError
from dmmi_core.training.training_state import load_state, save_state

CPU = torch.device("cpu")


def state(step: int) -> dict:
    return {"step": step, "model": {"weight": torch.full((1000,), float(step))}}


def saved(folder, steps: int) -> None:
    for step in range(1, steps + 1):
        save_state(state(step), folder)


def cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    """Flip a bit of a weight, which only its checksum reveals."""
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((9,), 2.0).numpy().tobytes()) + 400] ^= 1
    path.write_bytes(bytes(data))


def make_empty(path):
    path.write_bytes(b"")


def test_nothing_was_saved(tmp_path):
    assert load_state(tmp_path, CPU) is None


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_last_one_is_loaded(tmp_path, steps, caplog):
    saved(tmp_path, steps)
    loaded = load_state(tmp_path, CPU)
    assert loaded["step"] == steps and torch.equal(loaded["model"]["weight"], state(steps)["model"]["weight"])
    assert not caplog.records


@pytest.mark.parametrize("damage", [cut_short, flip_a_bit, make_empty])
def test_a_damaged_one_is_named_and_the_previous_used(tmp_path, caplog, damage):
    saved(tmp_path, 2)
    damage(tmp_path / "training.pt")
    with caplog.at_level(logging.WARNING):
        assert load_state(tmp_path, CPU)["step"] == 1
    (record,) = caplog.records
    message = record.getMessage()
    assert f"{tmp_path / 'training.pt'} is damaged" in message
    assert f"going on from {tmp_path / 'training.previous.pt'}" in message and "\n" not in message


def test_killed_between_the_two_renames(tmp_path):
    saved(tmp_path, 2)
    (tmp_path / "training.pt").replace(tmp_path / "training.previous.pt")
    assert load_state(tmp_path, CPU)["step"] == 2


def test_both_damaged(tmp_path):
    saved(tmp_path, 2)
    for path in tmp_path.iterdir():
        cut_short(path)
    with pytest.raises(
        ModelError, match=r"training\.pt is damaged.*training\.previous\.pt is damaged"
    ) as error:
        load_state(tmp_path, CPU)
    assert "begin anew" in str(error.value) and "\n" not in str(error.value)
