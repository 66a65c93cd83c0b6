"""Optional packages that engines need."""

import importlib.util
from importlib.metadata import PackageNotFoundError, version

NEEDED = {"onnx": ("onnxruntime", "onnxscript"), "openvino": ("openvino", "onnxscript")}
"""By the name of the engine, of those that run exported graphs."""


def missing_packages(engine: str) -> list[str]:
    """Those of the extra `engines` that are not installed."""
    return [package for package in NEEDED.get(engine, ()) if importlib.util.find_spec(package) is None]


def installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
