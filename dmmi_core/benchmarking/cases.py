"""Cases of the benchmark: models, sizes, batches and engines."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dmmi_core.checkpoints.model_folder import find_model, read_config, write_config
from dmmi_core.config import PRESETS
from dmmi_core.engines.manifest import MANIFEST
from dmmi_core.errors import ModelError

REFERENCE = ("torch", "fp32")
"""Engine and precision that all others are compared with."""


@dataclass(frozen=True)
class Case:
    """A model and the engines to measure it with."""

    model: str
    """A shipped model, a model folder, or a preset, which then has random weights."""
    engines: tuple[tuple[str, str], ...]
    """Pairs of engine and precision, in addition to the reference."""
    batches: tuple[int, ...] = (1,)
    image_size: int | None = None
    """Input size of the network, if not the model's own."""
    device: str = "cpu"


_ON_CPU = (("onnx", "fp32"), ("openvino", "fp32"), ("openvino", "bf16"))
_ON_GPU = (("torch", "bf16"), ("compiled", "fp32"), ("compiled", "bf16"))
SUITES = {
    "cpu": (
        Case("dmmi-lite", _ON_CPU),
        Case("dmmi-swin-base-released", _ON_CPU, image_size=448),
    ),
    "gpu": (
        Case("dmmi-lite", _ON_GPU, batches=(1, 32, 128, 256), device="cuda"),
        Case("dmmi-swin-base", _ON_GPU, batches=(1, 32), device="cuda"),
        Case("dmmi-swin-base-released", _ON_GPU, batches=(1, 32), image_size=448, device="cuda"),
    ),
}

TRAINING: dict[str, tuple[dict[str, Any], ...]] = {
    "cpu": ({"name": "dmmi-lite", "batch": 16, "device": "cpu", "steps": 3},),
    "gpu": (
        {"name": "dmmi-lite", "batch": 64, "device": "cuda"},
        {"name": "dmmi-swin-base", "batch": 16, "device": "cuda"},
    ),
}
"""Arguments of `measure_training` for each suite."""


@contextmanager
def model_folder(case: Case) -> Iterator[Path]:
    """Yield a folder of the case's model; a preset has the same random weights each time.

    Raises ModelError if there is no such model, or it cannot have another image size.
    """
    try:
        model = find_model(case.model)
    except ModelError:
        if case.model not in PRESETS:
            raise
        model = None
    if model and case.image_size is None:
        yield model
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / Path(case.model).name
        if model and case.image_size is not None:
            _write_resized(model, folder, case.image_size)
        else:
            _write_random(case, folder)
        yield folder


def _write_resized(model: Path, folder: Path, image_size: int) -> None:
    if (model / MANIFEST).is_file():
        raise ModelError(f"{model} was exported for images of one size")
    shutil.copytree(model, folder)
    write_config(replace(read_config(model), image_size=image_size), folder)


def _write_random(case: Case, folder: Path) -> None:
    import torch

    from dmmi_core.checkpoints.saved_network import save_model
    from dmmi_core.model import Dmmi
    from dmmi_core.tokenizer import load_tokenizer

    config = PRESETS[case.model]
    torch.manual_seed(0)
    model = Dmmi(replace(config, image_size=case.image_size or config.image_size, reconstruct=False))
    save_model(model.eval(), load_tokenizer(find_model("dmmi-lite")), folder)
