"""`dmmi benchmark`, on a tiny model: what it says of engines, not how fast they are."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dmmi_core.benchmarking.benchmark import COLUMNS, TRAINING_COLUMNS
from dmmi_core.benchmarking.flops import gflop_of_frame
from dmmi_core.benchmarking.training import measure_training
from dmmi_core.checkpoints.model_folder import read_config
from dmmi_core.cli import main
from dmmi_core.config import preset


@pytest.fixture
def photograph(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), image)
    return str(tmp_path / "photo.png")


def test_rows(model_folder, photograph, capsys):
    command = ["benchmark", "--model", str(model_folder), "--device", "cpu", "--image", photograph, "--json"]
    assert main([*command, "--engines", "onnx:fp32", "--batches", "1", "2", "--runs", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["torch"] and found["machine"]["onnxruntime"]
    rows = found["rows"]
    assert [(r["engine"], r["precision"], r["batch"]) for r in rows] == [
        *(("torch", "fp32", 1), ("onnx", "fp32", 1)),
        *(("torch", "fp32", 2), ("onnx", "fp32", 2)),
    ]
    for row in rows:
        assert COLUMNS.keys() <= row.keys()
        steps = [row[f"{step}_ms"] for step in ("preprocess", "text", "network", "postprocess")]
        assert 0 < sum(steps) < 2 * row["total_p99_ms"]
        assert row["images_per_s"] == pytest.approx(1e3 * row["batch"] / row["total_ms"])
        assert row["margin_error"] < 1e-4 and row["mask_iou"] == 1
        assert row["start_s"] > 0.1 and row["memory_mib"] > 20
        counted = gflop_of_frame(read_config(model_folder), row["engine"])
        assert row["gflop_per_image"] == pytest.approx(counted)
    assert [row["speedup"] for row in rows if row["engine"] == "torch"] == [1, 1]


def test_sizes(model_folder, photograph, capsys):
    command = ["benchmark", "--model", str(model_folder), "--device", "cpu", "--image", photograph, "--json"]
    assert main([*command, "--engines", "torch:fp32", "--sizes", "64", "96", "--runs", "1"]) == 0
    small, large = json.loads(capsys.readouterr().out)["rows"]
    assert (small["image_size"], large["image_size"]) == (64, 96)
    assert small["gflop_per_image"] < large["gflop_per_image"]


def test_what_is_exported_does_the_same_with_less():
    config = preset("dmmi-lite")
    assert 0.5 < gflop_of_frame(config, "onnx") / gflop_of_frame(config) < 1


def test_training_step():
    (row,) = measure_training("dmmi-lite", batch=2, device="cpu", size=64, precisions=["bf16"], steps=1)
    assert TRAINING_COLUMNS.keys() <= row.keys()
    assert row["images_per_s"] == pytest.approx(2e3 / row["step_ms"])
    forward = gflop_of_frame(replace(preset("dmmi-lite"), image_size=64))
    assert row["gflop_per_image"] > 2.5 * forward, "backward takes twice as much"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batches", "0"], "must be at least 1"),
        (["--sizes", "50"], "image_size"),
        (["--engines", "onnx"], "--engines are like onnx:fp32"),
        (["--engines", "onnx:bf16"], "cannot compute in bf16"),
        (["--model", "nowhere"], "no model 'nowhere'"),
    ],
)
def test_bad_input(model_folder, photograph, arguments, message, capsys):
    command = ["benchmark", "--model", str(model_folder), "--device", "cpu", "--image", photograph]
    assert main([*command, *arguments]) == 2
    assert message in capsys.readouterr().err
