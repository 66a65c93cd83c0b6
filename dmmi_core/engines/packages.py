"""Optional packages that engines need."""

import importlib.util

NEEDED = {"onnx": ("onnxruntime", "onnxscript"), "openvino": ("openvino", "onnxscript")}


def missing_packages(engine: str) -> list[str]:
    """Those of the extra `engines` that are not installed."""
    return [package for package in NEEDED.get(engine, ()) if importlib.util.find_spec(package) is None]
