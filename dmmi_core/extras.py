"""Optional packages, and the extras of this distribution that install them."""

from importlib.util import find_spec

from dmmi_core.errors import InputError

EXTRAS = {
    "torch": ("torch", "timm", "transformers", "safetensors", "textblob", "onnx", "onnxscript"),
    "train": ("accelerate", "torchmetrics", "tqdm"),
    "openvino": ("openvino",),
    "web": ("gradio",),
    "bag": ("rosbags",),
}
"""Modules that the base installation lacks, by extra."""
_EXTRA_OF = {module: extra for extra, modules in EXTRAS.items() for module in modules}


def missing(*modules: str) -> str:
    """Return what is missing of `modules` and how to install it, to follow a subject; empty if nothing is."""
    absent = [module for module in modules if not _is_installed(module)]
    if not absent:
        return ""
    extras = ",".join(dict.fromkeys(_EXTRA_OF[module] for module in absent if module in _EXTRA_OF))
    remedy = f"'dmmi[{extras}]'" if extras else " ".join(absent)
    return f"needs {' and '.join(absent)}: pip install {remedy}"


def require(*modules: str) -> None:
    """Raise InputError if one of `modules` is not installed."""
    if said := missing(*modules):
        raise InputError(f"this {said}")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package
        return False
