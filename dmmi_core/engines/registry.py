"""The engines by name: their order of preference, their packages, and how each opens graphs."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.engine import Engine

ENGINES = ("torch", "compiled", "onnx", "openvino")
GRAPH_ENGINES = ("onnx", "openvino")
"""Engines that run exported graphs."""
PRECISIONS = ("fp32", "bf16", "fp16")
FASTEST_FIRST = {
    "cpu": (("openvino", "bf16"), ("openvino", "fp32"), ("onnx", "fp32"), ("torch", "fp32")),
    "cuda": (("torch", "fp32"),),
}
"""Engines and precisions that "auto" tries, by kind of device; measured in benchmarks/README.md."""
PACKAGES = {"torch": ("torch",), "compiled": ("torch",), "onnx": ("onnxruntime",), "openvino": ("openvino",)}
EXPORT_PACKAGES = ("torch", "onnx", "onnxscript")


@dataclass(frozen=True)
class GraphRuntime:
    """An engine that runs exported graphs; the engine's module holds one as `RUNTIME`."""

    open_folder: Callable[[Path, DmmiConfig, str, str], Engine]
    """Opens the graphs in a folder; takes the folder, configuration, precision and device."""
    supports: Callable[[str, str], bool]
    """Returns whether this machine computes in a precision on a device."""


def graph_runtime(engine: str) -> GraphRuntime:
    """Import the module of one of `GRAPH_ENGINES`; its packages must be installed."""
    return import_module(f"dmmi_core.engines.{engine}_engine").RUNTIME


def installed_version(package: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
