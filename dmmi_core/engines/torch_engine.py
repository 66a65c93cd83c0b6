"""PyTorch, the reference: the network as it is trained."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from dmmi_core.device import select_device
from dmmi_core.engines.engine import Encoded, Scores
from dmmi_core.model import Dmmi
from dmmi_core.model.dmmi import EncodedText

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def channels_last(network: Any, device: str | torch.device) -> Any:
    """Move a network to `device` with channels last in memory; torch has no type for the pair."""
    return network.to(device, memory_format=torch.channels_last)


class TorchEngine:
    """Runs the network's own operations in eager PyTorch; half precisions use autocast."""

    name = "torch"

    def __init__(self, model: Dmmi, *, device: str = "auto", precision: str = "fp32"):
        place = select_device(device)
        self.device, self.precision, self.config = str(place), precision, model.config
        self._model = channels_last(model.eval(), place)

    @torch.inference_mode()
    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        pieces, real = self._on_device(ids), self._on_device(mask)
        with self._casting():
            features, categories = self._model.encode_text(pieces[None], real[None])
        return Encoded(features[0], real, None if categories is None else categories[0])

    @torch.inference_mode()
    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        pixels = self._on_device(images).permute(0, 3, 1, 2)
        text, mask = self._batched(texts)
        own = len(images) == len(texts) and list(image_of) == list(range(len(texts)))
        index = None if own else self._on_device(np.asarray(image_of, np.int64))
        with self._casting():
            output = self._model(self._model.normalize(pixels), text, mask, image_of=index)
        margin = output.logits[:, 1] - output.logits[:, 0]
        others = {name: getattr(output, name) for name in Scores._fields[1:]}
        return self._scores({"margin": margin, **others})

    @staticmethod
    def _batched(texts: Sequence[Encoded]) -> tuple[EncodedText, Tensor]:
        """Return texts padded to the longest, and their mask."""
        features, masks, categories = zip(*texts, strict=True)
        named = None if categories[0] is None else torch.stack(categories)
        padded = (pad_sequence(list(part), batch_first=True) for part in (features, masks))
        return EncodedText(next(padded), named), next(padded)

    def _on_device(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        if self.device.startswith("cuda"):
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def _casting(self):
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.split(":")[0], DTYPES[self.precision])

    def _scores(self, fields: dict[str, Tensor | None]) -> Scores:
        """Copy the fields of `Scores` to the host together: it waits for a GPU once."""
        copies = {
            name: value.float().to("cpu", non_blocking=True)
            for name, value in fields.items()
            if value is not None
        }
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)
        return Scores(**{name: copy.numpy() for name, copy in copies.items()})
