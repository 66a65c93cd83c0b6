"""Referring image segmentation with zero, one or many targets (DMMI, ICCV 2023).

Names are loaded on first use, so that code which only needs `Result` never imports PyTorch.
"""

from importlib import import_module

_HOME = {
    "DmmiConfig": "config",
    "DmmiError": "errors",
    "InputError": "errors",
    "Instance": "result",
    "ModelError": "errors",
    "Options": "segmenter_options",
    "Result": "result",
    "Roi": "result",
    "Segmenter": "segmenter",
    "Status": "result",
}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
