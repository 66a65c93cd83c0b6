"""torch.compile; on a GPU with CUDA graphs."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from dmmi_core.engines.engine import Encoded, Scores
from dmmi_core.engines.exported_engine import frame_outputs
from dmmi_core.engines.inference_network import FrameNetwork
from dmmi_core.engines.torch_engine import TorchEngine, channels_last
from dmmi_core.model import Dmmi

OPTIONS: dict[str, str | int | bool | Callable] = {"freezing": True, "triton.cudagraphs": True}
"""Freezing folds batch norms and whatever else depends on weights alone."""


class CompiledEngine(TorchEngine):
    """Compiles at the first frame, and once more for several images or texts at once."""

    name = "compiled"

    def __init__(self, model: Dmmi, *, device: str = "auto", precision: str = "fp32"):
        super().__init__(model, device=device, precision=precision)
        network = channels_last(FrameNetwork(self._model), self.device)
        self._frame = torch.compile(network, options=OPTIONS)

    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        features, real, categories = super().encode(ids, mask)
        padding = self.config.max_tokens - len(real)  # so that few shapes vary
        return Encoded(F.pad(features, (0, 0, 0, padding)), F.pad(real, (0, padding)), categories)

    @torch.no_grad()
    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        text, mask = self._batched(texts)
        index = self._on_device(np.asarray(image_of, np.int64))
        with self._casting():
            outputs = self._frame(self._on_device(images), text.features, mask, index, text.categories)
        return self._scores(dict(zip(frame_outputs(self.config), outputs, strict=True)))
