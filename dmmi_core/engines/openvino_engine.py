"""OpenVINO, on a CPU."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import openvino

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.graph_engine import FRAME, TEXT, GraphEngine

TYPES = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}


@lru_cache
def _core() -> openvino.Core:
    """One for the process: with the last one OpenVINO unloads code that threads of its own may still run."""
    return openvino.Core()


def open_folder(folder: Path, config: DmmiConfig, precision: str, device: str) -> GraphEngine:
    """The engine of the text.xml and frame.xml in `folder`."""
    text, frame = (_Graph(folder / f"{name}.xml", precision) for name in (TEXT, FRAME))
    return GraphEngine("openvino", config, text, frame, precision=precision, device=device)


def has(precision: str, device: str) -> bool:
    """Where a CPU lacks a precision, OpenVINO would quietly take float32."""
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return device == "cpu" and (precision == "fp32" or precision.upper() in capabilities)


class _Graph:
    """Compiled for single samples, and, when first needed, for any number: fixed sizes are faster."""

    def __init__(self, path: Path, precision: str):
        self._path = path
        self._options = {"INFERENCE_PRECISION_HINT": TYPES[precision], "PERFORMANCE_HINT": "LATENCY"}
        self._lock = Lock()  # a request serves one call at a time

    def __call__(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        single = all(len(array) == 1 for array in inputs.values())
        with self._lock:
            request = self._of_single if single else self._of_any
            return tuple(request.infer(inputs, share_inputs=True).values())

    @cached_property
    def _of_single(self) -> openvino.InferRequest:
        model = _core().read_model(self._path)
        model.reshape({port: [1, *list(port.partial_shape)[1:]] for port in model.inputs})
        return self._compiled(model)

    @cached_property
    def _of_any(self) -> openvino.InferRequest:
        return self._compiled(_core().read_model(self._path))

    def _compiled(self, model: openvino.Model) -> openvino.InferRequest:
        return _core().compile_model(model, "CPU", self._options).create_infer_request()


def convert(onnx: Path, folder: Path) -> None:
    """Turns the graphs in the folder `onnx` into text.xml and frame.xml, and their weights, still float32."""
    for name in (TEXT, FRAME):
        model = _core().read_model(onnx / f"{name}.onnx")
        openvino.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)
