"""An engine of two exported graphs: one encodes texts, one scores frames."""

from collections.abc import Callable, Sequence

import numpy as np

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.engine import Encoded, Scores

TEXT, FRAME = "text.onnx", "frame.onnx"
"""Files of the two graphs."""
TEXT_INPUTS = ("ids", "mask")


def text_outputs(config: DmmiConfig) -> tuple[str, ...]:
    return ("features", "categories") if config.guide else ("features",)


def frame_inputs(config: DmmiConfig) -> tuple[str, ...]:
    return ("image", "text", "mask", "image_of", *(("categories",) if config.guide else ()))


def frame_outputs(config: DmmiConfig) -> tuple[str, ...]:
    """Return the outputs of the frame graph, which are names of fields of `Scores`."""
    presence = ("presence",) if config.presence else ()
    return ("margin", *presence, *(("centres", "offsets") if config.instances else ()))


Run = Callable[[dict[str, np.ndarray]], Sequence[np.ndarray]]
"""Runs a graph: takes its inputs by name and returns its outputs in order."""


class GraphEngine:
    """Runs two graphs; pads each text to the model's `max_tokens`, so that few shapes vary."""

    def __init__(self, name: str, config: DmmiConfig, text: Run, frame: Run, *, precision: str, device: str):
        self.name, self.config, self.precision, self.device = name, config, precision, device
        self._text, self._frame = text, frame

    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        padding = (0, self.config.max_tokens - len(ids))
        ids, mask = np.pad(ids, padding), np.pad(mask, padding)
        features, *named = self._text(dict(zip(TEXT_INPUTS, (ids[None], mask[None]), strict=True)))
        return Encoded(features[0], mask, *(categories[0] for categories in named))

    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        features, masks, categories = zip(*texts, strict=True)
        inputs = [images, np.stack(features), np.stack(masks), np.asarray(image_of, np.int64)]
        if self.config.guide:
            inputs.append(np.stack(categories))
        outputs = self._frame(dict(zip(frame_inputs(self.config), inputs, strict=True)))
        return Scores(**{"presence": None, **dict(zip(frame_outputs(self.config), outputs, strict=True))})
