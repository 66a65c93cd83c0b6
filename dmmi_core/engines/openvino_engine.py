"""Graphs in OpenVINO, on a CPU."""

import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.exported_engine import FRAME, TEXT, ExportedEngine
from dmmi_core.engines.registry import GraphRuntime

# OpenVINO then takes its stub: otherwise it forks a process that sends usage data over the network.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402

TYPES = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
PASS_SIZES = (4, 2, 1)
"""Numbers of texts about one image that the frame graph is compiled for; larger ones gain little more."""
DECOMPRESSION = "decompression_0"
"""The mark of a conversion that only undoes a compression of weights."""


@lru_cache
def _core() -> openvino.Core:
    """Return the only core of the process: OpenVINO unloads code with its last core, while threads use it."""
    return openvino.Core()


def open_folder(folder: Path, config: DmmiConfig, precision: str, device: str) -> ExportedEngine:
    """Open text.onnx and frame.onnx in `folder`."""
    text = _Graph(folder / TEXT, precision, keep_float16=True)
    frame = _Graph(folder / FRAME, precision)  # made of convolutions, which cannot read float16
    return ExportedEngine(
        "openvino", config, text, frame, precision=precision, device=device, pass_sizes=PASS_SIZES
    )


def supports(precision: str, device: str) -> bool:
    """Return whether the CPU has `precision`; OpenVINO would silently compute in float32 if not."""
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return device == "cpu" and (precision == "fp32" or precision.upper() in capabilities)


class _Graph:
    """A graph compiled for each number of samples when first needed: fixed sizes are faster."""

    def __init__(self, path: Path, precision: str, *, keep_float16: bool = False):
        self._path, self._keeps_float16 = path, keep_float16
        self._options = {"INFERENCE_PRECISION_HINT": TYPES[precision], "PERFORMANCE_HINT": "LATENCY"}
        self._requests: dict[tuple[int, ...], openvino.InferRequest] = {}
        self._lock = Lock()  # a request serves one call at a time

    def __call__(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        sizes = tuple(len(array) for array in inputs.values())
        with self._lock:
            if sizes not in self._requests:
                self._requests[sizes] = self._compiled(dict(zip(inputs, sizes, strict=True)))
            return tuple(self._requests[sizes].infer(inputs, share_inputs=True).values())

    def _compiled(self, sizes: dict[str, int]) -> openvino.InferRequest:
        model = _core().read_model(self._path)
        model.reshape({port: [sizes[port.any_name], *list(port.partial_shape)[1:]] for port in model.inputs})
        if self._keeps_float16:
            _keep_float16(model)
        return _core().compile_model(model, "CPU", self._options).create_infer_request()


def _keep_float16(model: openvino.Model) -> None:
    """Let matrix products read weights that are stored in float16 as they are, without a float32 copy.

    OpenVINO marks conversions so when it reads its own format. The copy would stay in memory: 20 MiB for the
    text encoder of dmmi-lite.
    """
    for node in model.get_ops():
        if node.get_type_name() == "Convert" and node.input_value(0).get_element_type() == openvino.Type.f16:
            node.get_rt_info()[DECOMPRESSION] = ""


RUNTIME = GraphRuntime(open_folder, supports)
