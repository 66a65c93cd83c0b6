"""A model as two graphs, one of them for texts and one for frames, as runtimes other than PyTorch take it."""

from collections.abc import Callable, Sequence

import numpy as np

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.engine import Encoded, Scores

TEXT, FRAME = "text", "frame"
"""Names of the two graphs' files."""
TEXT_INPUTS = ("ids", "mask")
FRAME_INPUTS = ("image", "text", "mask", "image_of")
FRAME_OUTPUTS = ("margin", "presence")

Run = Callable[[dict[str, np.ndarray]], Sequence[np.ndarray]]
"""Takes a graph's inputs by name, and gives its outputs in order."""


class GraphEngine:
    """An engine of two graphs; all texts are padded to the model's `max_tokens`, so that few shapes vary."""

    def __init__(self, name: str, config: DmmiConfig, text: Run, frame: Run, *, precision: str, device: str):
        self.name, self.config, self.precision, self.device = name, config, precision, device
        self._text, self._frame = text, frame

    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        padding = (0, self.config.max_tokens - len(ids))
        ids, mask = np.pad(ids, padding), np.pad(mask, padding)
        (features,) = self._text(dict(zip(TEXT_INPUTS, (ids[None], mask[None]), strict=True)))
        return Encoded(features[0], mask)

    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        features, masks = (np.stack(part) for part in zip(*texts, strict=True))
        inputs = (images, features, masks, np.asarray(image_of, np.int64))
        margin, *presence = self._frame(dict(zip(FRAME_INPUTS, inputs, strict=True)))
        return Scores(margin, presence[0] if presence else None)
