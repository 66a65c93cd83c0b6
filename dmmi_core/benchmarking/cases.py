"""What is measured: models, sizes, batches and engines."""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from dmmi_core.config import PRESETS
from dmmi_core.errors import ModelError
from dmmi_core.model_folder import find_model

REFERENCE = ("torch", "fp32")
"""What every other engine and precision is compared with."""


@dataclass(frozen=True)
class Case:
    model: str
    """A shipped model, a model folder, or an architecture, which then has random weights."""
    engines: tuple[tuple[str, str], ...]
    """Pairs of engine and precision, beside the reference."""
    batches: tuple[int, ...] = (1,)
    image_size: int | None = None
    """Of an architecture, instead of its own."""
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

TRAINING = {
    "cpu": ({"name": "dmmi-lite", "batch": 16, "device": "cpu", "steps": 3},),
    "gpu": (
        {"name": "dmmi-lite", "batch": 64, "device": "cuda"},
        {"name": "dmmi-swin-base", "batch": 16, "device": "cuda"},
    ),
}
"""Of each suite, what `measure_training` is given."""


@contextmanager
def model_folder(case: Case):
    """The folder of the case's model; of an architecture, one with the same random weights each time."""
    try:
        yield find_model(case.model)
        return
    except ModelError:
        if case.model not in PRESETS:
            raise
    with TemporaryDirectory() as folder:
        _write_random(case, Path(folder) / case.model)
        yield Path(folder) / case.model


def _write_random(case: Case, folder: Path) -> None:
    import torch

    from dmmi_core.checkpoint import save_model
    from dmmi_core.model import Dmmi
    from dmmi_core.model.text import load_tokenizer

    config = PRESETS[case.model]
    torch.manual_seed(0)
    model = Dmmi(replace(config, image_size=case.image_size or config.image_size, reconstruct=False))
    save_model(model.eval(), load_tokenizer(find_model("dmmi-lite")), folder)
