"""Recordings of the authors' code, and networks with the same weights.

The recordings are files in the folder named by DMMI_PARITY_KITS. They are not part of this package.
"""

import hashlib
import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dmmi_core.checkpoints.released import read_released
from dmmi_core.checkpoints.released_names import released_name
from dmmi_core.model import Dmmi

KITS = Path(os.environ.get("DMMI_PARITY_KITS", "no-such-folder")).resolve()


def kits(pattern: str) -> list[Any]:
    """Return a pytest parameter for each file, or a skipped one if there is none."""
    absent = pytest.mark.skip(reason=f"DMMI_PARITY_KITS names no folder with {pattern}")
    found = [pytest.param(path, id=path.stem) for path in sorted(KITS.glob(pattern))]
    return found or [pytest.param(None, id=f"no {pattern}", marks=absent)]


class Recorded:
    """A released checkpoint: its configuration, its weights, and networks with them."""

    def __init__(self, model: dict[str, Tensor], bert: dict[str, Tensor], folder: Path, **heads: Any):
        path = folder / "released.pth"
        torch.save({"model": model, "bert_model": bert}, path)
        config, state = read_released(path)
        text = replace(config.text_encoder, num_attention_heads=heads.pop("bert_heads", 12))
        self.config = replace(config, text_encoder=text, **heads)
        self.state = state

    def network(self, *, dropout: bool = True) -> Dmmi:
        """Return the network in evaluation mode; without `dropout`, training mode is deterministic too."""
        config = self.config
        if not dropout:
            args = {**config.backbone_args, "drop_path_rate": 0.0}
            config = replace(config, backbone_args=args, decoder_dropout=0.0)
        model = Dmmi(config)
        model.load_state_dict(self.state)
        return model.eval()

    def released(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors under their released names."""
        return {released_name(key, self.config): value for key, value in tensors.items()}


class SmallKit(Recorded):
    """`official_small_*.pt`: a small network, its inputs, and the outputs of the released code."""

    def __init__(self, path: Path, folder: Path):
        kit = torch.load(path, weights_only=True)
        self.inputs, self.outputs = kit["inputs"], kit["outputs"]
        self.mask = self.inputs["attention_mask"].bool()
        heads = {name: kit["config"][name] for name in ("bert_heads", "decoder_heads")}
        super().__init__(_widened(kit["state_dict"]), kit["bert_state_dict"], folder, **heads)


class FullKit(Recorded):
    """`full_*.json` and `.npz`: the rule that draws the weights, and samples of the outputs."""

    def __init__(self, path: Path, folder: Path):
        self.record = record = json.loads(path.read_text())
        self.samples = np.load(path.with_suffix(".npz"))
        rule = _weights_rule()
        keys = {"swinb": "swinb", "swinb7": "swinb_window7", "resnet101": "resnet101"}
        model, bert = full_checkpoint(keys[record["kind"]], record["seed"]).values()
        self.image = rule.image(record["seed"], 1, record["size"], record["size"])
        assert _sha256([self.image]) == record["sha256_image_f32"]
        assert _sha256([model[key] for key in sorted(model)]) == record["sha256_state_dict_sorted"]
        self.ids = torch.tensor(record["input_ids"])
        self.erased = torch.tensor(record["input_ids_masked"])
        self.mask = torch.arange(self.ids.shape[1])[None] < record["tokens"]
        super().__init__(model, bert, folder)


def full_checkpoint(keys: str, seed: int = 0) -> dict[str, dict[str, Tensor]]:
    """Return the `model` and `bert_model` of a full-size checkpoint."""
    rule, parts = _weights_rule(), {"model": f"keys_{keys}.txt", "bert_model": "keys_bert.txt"}
    return {part: rule.from_shapes(read_shapes(table), seed) for part, table in parts.items()}


def read_shapes(table: str) -> dict[str, tuple[int, ...]]:
    """Read the released names and shapes of a `keys_*.txt`."""
    return _weights_rule().read_keys(KITS / table)


def _weights_rule() -> Any:
    """Import the module that draws weights from a seed."""
    spec = importlib.util.spec_from_file_location("weights_from_seed", KITS / "weights_from_seed.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _sha256(tensors: list[Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


_STEM_OUTPUTS = ("backbone.layer1.0.", "backbone.layer1.1.")
_STEM_READERS = ("backbone.layer1.4.0.conv1.weight", "backbone.layer1.4.0.downsample.0.weight")


def _widened(state: dict[str, Tensor], width: int = 64) -> dict[str, Tensor]:
    """Widen the stem with zeros to the 64 channels of timm's ResNet, which keeps the function."""

    def widen(key: str, value: Tensor) -> Tensor:
        axis = 0 if key.startswith(_STEM_OUTPUTS) else 1 if key in _STEM_READERS else None
        if axis is None or value.dim() == 0:
            return value
        shape = list(value.shape)
        shape[axis] = width - shape[axis]
        return torch.cat([value, value.new_zeros(shape)], dim=axis)

    return {key: widen(key, value) for key, value in state.items()}
