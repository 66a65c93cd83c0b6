"""PyTorch: the network as it is trained, which is the reference."""

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from dmmi_core.device import select_device
from dmmi_core.engines.engine import Encoded, Scores
from dmmi_core.model import Dmmi
from dmmi_core.model.dmmi import EncodedText

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine:
    """Eager PyTorch, in the network's own operations; half precisions are those of autocast."""

    name = "torch"

    def __init__(self, model: Dmmi, *, device: str = "auto", precision: str = "fp32"):
        place = select_device(device)
        self.device, self.precision, self.config = str(place), precision, model.config
        self._model = model.eval().to(place, memory_format=torch.channels_last)

    @torch.inference_mode()
    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        ids, mask = self._on_device(ids), self._on_device(mask)
        with self._casting():
            features, categories = self._model.encode_text(ids[None], mask[None])
        return Encoded(features[0], mask, None if categories is None else categories[0])

    @torch.inference_mode()
    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        pixels = self._on_device(images).permute(0, 3, 1, 2)
        text, mask = self._batched(texts)
        own = len(images) == len(texts) and list(image_of) == list(range(len(texts)))
        index = None if own else self._on_device(np.asarray(image_of, np.int64))
        with self._casting():
            output = self._model(self._model.normalize(pixels), text, mask, image_of=index)
        margin = output.logits[:, 1] - output.logits[:, 0]
        return self._scores(margin, output.presence, output.centres, output.offsets)

    @staticmethod
    def _batched(texts: Sequence[Encoded]) -> tuple[EncodedText, Tensor]:
        """Texts of different lengths, padded to the longest, and their mask."""
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

    def _scores(self, *values: Tensor | None) -> Scores:
        """`values` in the order of `Scores`, copied to the host together, so that it waits for a GPU once."""
        found = [None if v is None else v.float().to("cpu", non_blocking=True) for v in values]
        if values[0].is_cuda:
            torch.cuda.synchronize(values[0].device)
        return Scores(*(None if value is None else value.numpy() for value in found))
