"""Which engine opens a model, and what is said where one cannot."""

import json
import logging
import subprocess
import sys
from shutil import copytree

import pytest

from dmmi_core import Segmenter
from dmmi_core.cli import main
from dmmi_core.engines import selection as opening
from dmmi_core.engines.openvino_engine import has
from dmmi_core.engines.selection import EngineUnavailable, open_engine
from dmmi_core.engines.verification import TOLERANCE
from dmmi_core.errors import InputError, ModelError

FASTEST = ("openvino", "bf16" if has("bf16", "cpu") else "fp32")


@pytest.fixture(scope="module")
def exported(model_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "tiny-onnx"
    assert main(["export", str(model_folder), str(folder), "--format", "onnx"]) == 0
    return folder


def pair(engine) -> tuple[str, str]:
    return engine.name, engine.precision


def test_the_fastest_is_the_default(model_folder):
    assert pair(open_engine(model_folder, device="cpu")) == FASTEST
    assert pair(open_engine(model_folder, precision="fp32", device="cpu")) == ("openvino", "fp32")
    assert pair(open_engine(model_folder, engine="onnx", device="cpu")) == ("onnx", "fp32")
    assert pair(open_engine(model_folder, engine="torch", device="cpu")) == ("torch", "fp32")


def test_missing_packages_are_said_and_passed_over(model_folder, monkeypatch, caplog):
    monkeypatch.setattr(opening, "missing_packages", lambda name: [name])
    with caplog.at_level(logging.INFO):
        assert pair(open_engine(model_folder, device="cpu")) == ("torch", "fp32")
    said = "the engine openvino needs openvino: pip install 'dmmi[engines]'"
    assert said in caplog.text
    with pytest.raises(EngineUnavailable, match="the engine openvino needs openvino: pip install"):
        open_engine(model_folder, engine="openvino", device="cpu")


def test_a_precision_that_only_pytorch_has(model_folder, monkeypatch, caplog):
    monkeypatch.setattr(opening, "missing_packages", lambda name: [name])
    with caplog.at_level(logging.INFO):
        assert pair(open_engine(model_folder, precision="bf16", device="cpu")) == ("torch", "bf16")
    assert "pip install 'dmmi[engines]'; trying torch in bf16" in caplog.text


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


def test_an_exported_model(model_folder, exported, tmp_path):
    ours = Segmenter.from_pretrained(exported, device="cpu")
    assert pair(ours.engine) == ("onnx", "fp32")
    assert ours.word_pieces("the dog").ids.tolist() == [2, 7, 28, 3]
    with pytest.raises(ModelError, match="was exported for the engine onnx, not for torch"):
        open_engine(exported, engine="torch")
    damaged = copytree(exported, tmp_path / "damaged")
    (damaged / "frame.onnx").write_bytes((damaged / "frame.onnx").read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"frame\.onnx is damaged: export the model again"):
        open_engine(damaged)
    (damaged / "graphs.json").write_text("{}")
    with pytest.raises(ModelError, match="is damaged: export it again"):
        open_engine(damaged)


def test_an_exported_model_that_was_not_compared(exported, tmp_path, caplog):
    folder = copytree(exported, tmp_path / "exported")
    manifest = json.loads((folder / "graphs.json").read_text())
    (folder / "graphs.json").write_text(json.dumps(manifest | {"disagreement": {}}))
    assert pair(open_engine(folder, device="cpu")) == ("onnx", "fp32")  # there is no other to try
    assert "the engine onnx in fp32 was never compared with PyTorch" in caplog.text


def test_export_leaves_other_folders_alone(model_folder, tmp_path, capsys):
    (tmp_path / "precious").touch()
    assert main(["export", str(model_folder), str(tmp_path), "--format", "onnx"]) == 2
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
