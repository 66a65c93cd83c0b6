"""Graphs in ONNX Runtime."""

from functools import partial
from pathlib import Path

import onnxruntime

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.exported_engine import FRAME, TEXT, ExportedEngine, Run
from dmmi_core.engines.registry import GraphRuntime

TENSORRT, CUDA, CPU = (f"{name}ExecutionProvider" for name in ("Tensorrt", "CUDA", "CPU"))


def open_folder(folder: Path, config: DmmiConfig, precision: str, device: str) -> ExportedEngine:
    """Open text.onnx and frame.onnx in `folder`."""
    providers = _providers(precision, device)
    text, frame = (_session(folder / name, providers) for name in (TEXT, FRAME))
    return ExportedEngine("onnx", config, text, frame, precision=precision, device=device)


def supports(precision: str, device: str) -> bool:
    """Return whether ONNX Runtime computes in `precision` on `device`; in half precision, TensorRT does."""
    installed = onnxruntime.get_available_providers()
    if device == "cpu":
        return precision == "fp32"
    return TENSORRT in installed or (precision == "fp32" and CUDA in installed)


def _session(path: Path, providers: list) -> Run:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(path, options, providers=providers)
    return partial(session.run, None)


def _providers(precision: str, device: str) -> list:
    """Return TensorRT and CUDA if installed; each leaves what it cannot run to the next."""
    if device == "cpu":
        return [CPU]
    number = {"device_id": int(device.partition(":")[2] or 0)}
    half = {"trt_fp16_enable": precision == "fp16", "trt_bf16_enable": precision == "bf16"}
    wanted = [(TENSORRT, number | half), (CUDA, number)]
    installed = onnxruntime.get_available_providers()
    return [provider for provider in wanted if provider[0] in installed] + [CPU]


RUNTIME = GraphRuntime(open_folder, supports)
