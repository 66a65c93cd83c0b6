"""Which engine opens a model, and what is said where one cannot."""

import errno
import json
import logging
import subprocess
import sys
from dataclasses import replace
from shutil import copytree

import pytest

from dmmi_core import Segmenter, extras
from dmmi_core.checkpoints.model_folder import WEIGHTS, read_config, write_config
from dmmi_core.cli import main
from dmmi_core.engines import cache
from dmmi_core.engines.openvino_engine import supports
from dmmi_core.engines.selection import EngineUnavailable, open_engine
from dmmi_core.engines.verification import TOLERANCE
from dmmi_core.errors import InputError, ModelError

GRAPHS = ("onnxruntime", "openvino")
FASTEST = ("openvino", "bf16" if supports("bf16", "cpu") else "fp32")


def pair(engine) -> tuple[str, str]:
    return engine.name, engine.precision


def test_the_fastest_is_the_default(model_folder):
    assert pair(open_engine(model_folder, device="cpu")) == FASTEST
    assert pair(open_engine(model_folder, precision="fp32", device="cpu")) == ("openvino", "fp32")
    assert pair(open_engine(model_folder, engine="onnx", device="cpu")) == ("onnx", "fp32")
    assert pair(open_engine(model_folder, engine="torch", device="cpu")) == ("torch", "fp32")


def test_missing_packages_are_said_and_passed_over(model_folder, monkeypatch, caplog):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in GRAPHS else True)
    with caplog.at_level(logging.INFO):
        assert pair(open_engine(model_folder, device="cpu")) == ("torch", "fp32")
    said = "the engine openvino needs openvino: pip install 'dmmi[openvino]'"
    assert said in caplog.text
    with pytest.raises(EngineUnavailable, match="the engine openvino needs openvino: pip install"):
        open_engine(model_folder, engine="openvino", device="cpu")


def test_a_precision_that_only_pytorch_has(model_folder, monkeypatch, caplog):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in GRAPHS else True)
    with caplog.at_level(logging.INFO):
        assert pair(open_engine(model_folder, precision="bf16", device="cpu")) == ("torch", "bf16")
    assert "pip install 'dmmi[openvino]'; torch in bf16 runs instead" in caplog.text


def test_an_engine_that_disagrees_is_not_the_default(model_folder, monkeypatch, caplog):
    for precision in TOLERANCE:
        monkeypatch.setitem(TOLERANCE, precision, 0)
    with caplog.at_level(logging.INFO):
        assert pair(open_engine(model_folder, device="cpu")) == ("torch", "fp32")
    assert "the engine onnx in fp32 disagrees with PyTorch by" in caplog.text
    caplog.clear()
    assert pair(open_engine(model_folder, engine="onnx", precision="fp32", device="cpu")) == ("onnx", "fp32")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_cache_that_cannot_be_written(model_folder, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DMMI_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.INFO):
        assert open_engine(model_folder, device="cpu").name == "torch"
    assert "set DMMI_CACHE to another folder" in caplog.text


def test_a_full_cache_costs_one_export(model_folder, tmp_path, monkeypatch, caplog):
    calls = []

    def export(folder, on_progress=None):
        calls.append(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("DMMI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "export_in_child", export)
    with caplog.at_level(logging.INFO):
        assert open_engine(model_folder, device="cpu").name == "torch"
    assert len(calls) == 1
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("the model cannot be exported: cannot write ") and "set DMMI_CACHE" in said
    assert "No space left on device; it needs more than " in said and said.endswith(
        "torch in fp32 runs instead"
    )
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_engine_is_said_once(model_folder, monkeypatch, caplog):
    """Neither PyTorch nor graphs: each engine would say that PyTorch is missing."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in ("torch", "openvino") else True)
    with caplog.at_level(logging.INFO), pytest.raises(ModelError, match=r"needs torch: pip install"):
        open_engine(model_folder, device="cpu")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "tensorflow"}, "engine is 'tensorflow'; it must be auto or one of torch, compiled, onnx"),
        ({"precision": "int8"}, "precision is 'int8'; it must be auto or one of fp32, bf16, fp16"),
        ({"engine": "onnx", "precision": "bf16"}, "the engine onnx cannot compute in bf16 on this cpu"),
    ],
)
def test_what_there_is_not(model_folder, options, message):
    with pytest.raises((InputError, ModelError), match=message):
        open_engine(model_folder, device="cpu", **options)


def without_pytorch(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "torch" else True)


def test_an_exported_model_needs_no_cache(model_folder, exported, tmp_path, monkeypatch):
    monkeypatch.setenv("DMMI_CACHE", str(tmp_path / "cache"))
    ours = Segmenter.from_pretrained(exported, device="cpu")
    assert pair(ours.engine) == FASTEST
    assert ours.word_pieces("the dog").ids.tolist() == [2, 7, 28, 3]
    assert pair(open_engine(exported, engine="onnx", device="cpu")) == ("onnx", "fp32")
    assert pair(open_engine(exported, engine="torch", device="cpu")) == ("torch", "fp32")
    assert not (tmp_path / "cache").exists()


def test_a_model_exported_in_place(model_folder, tmp_path):
    folder = copytree(model_folder, tmp_path / "model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["export", str(folder), str(folder)]) == 0
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"text.onnx", "frame.onnx", "graphs.json"}


@pytest.mark.parametrize("damage", ["graph", "weights", "manifest"])
def test_damaged_graphs_are_made_again(exported, tmp_path, damage, caplog):
    damaged = copytree(exported, tmp_path / "damaged")
    if damage == "manifest":
        (damaged / "graphs.json").write_text("{}")
    else:
        path = damaged / {"graph": "frame.onnx", "weights": WEIGHTS}[damage]
        path.write_bytes(path.read_bytes()[:-1])
    if damage == "weights":
        with pytest.raises(ModelError, match="is damaged"):
            open_engine(damaged, device="cpu")
    else:
        assert pair(open_engine(damaged, device="cpu")) == FASTEST
    assert "is damaged: export" in caplog.text


def test_graphs_of_another_configuration_are_not_used(exported, tmp_path, monkeypatch):
    folder = copytree(exported, tmp_path / "smaller")
    config = replace(read_config(folder), image_size=32)
    write_config(config, folder)
    without_pytorch(monkeypatch)
    with pytest.raises(ModelError, match=r"needs torch: pip install 'dmmi\[torch\]'"):
        open_engine(folder, device="cpu")
    write_config(replace(read_config(exported), presence_threshold=0.9), folder)
    assert pair(open_engine(folder, device="cpu")) == FASTEST


def test_an_exported_model_that_was_not_compared(exported, tmp_path, caplog, monkeypatch):
    folder = copytree(exported, tmp_path / "exported")
    manifest = json.loads((folder / "graphs.json").read_text())
    (folder / "graphs.json").write_text(json.dumps(manifest | {"disagreement": {}}))
    without_pytorch(monkeypatch)
    assert pair(open_engine(folder, engine="onnx", device="cpu")) == ("onnx", "fp32")
    assert "the engine onnx in fp32 was never compared with PyTorch" in caplog.text


def test_export_leaves_other_folders_alone(model_folder, tmp_path, capsys):
    (tmp_path / "precious").touch()
    assert main(["export", str(model_folder), str(tmp_path)]) == 2
    assert "is not an exported model: choose another folder" in capsys.readouterr().err
    assert (tmp_path / "precious").exists()


def test_no_pytorch_once_it_is_prepared(model_folder):
    open_engine(model_folder, engine="openvino", device="cpu")
    code = """if True:
        import sys, numpy
        from dmmi_core import Segmenter
        segmenter = Segmenter.from_pretrained(sys.argv[1], engine="openvino", device="cpu")
        segmenter(numpy.zeros((48, 64, 3), numpy.uint8), "the dog")
        print([module for module in ("torch", "transformers", "timm") if module in sys.modules])
    """
    command = [sys.executable, "-c", code, str(model_folder)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"
