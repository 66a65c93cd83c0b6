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
    instances = ("centres", "offsets") if config.instances else ()
    return ("margin", *presence, *instances, *(("detections", "boxes") if config.guide else ()))


Run = Callable[[dict[str, np.ndarray]], Sequence[np.ndarray]]
"""Runs a graph: takes its inputs by name and returns its outputs in order."""


class ExportedEngine:
    """Runs two graphs; pads each text to the model's `max_tokens`, so that few shapes vary.

    `pass_sizes`: numbers of texts that the frame graph is compiled for, largest first; each pass is then
    about one image. Without them one pass takes any number of images and texts.
    """

    def __init__(
        self,
        name: str,
        config: DmmiConfig,
        text: Run,
        frame: Run,
        *,
        precision: str,
        device: str,
        pass_sizes: Sequence[int] = (),
    ):
        self.name, self.config, self.precision, self.device = name, config, precision, device
        self._text, self._frame, self._pass_sizes = text, frame, pass_sizes

    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        padding = (0, self.config.max_tokens - len(ids))
        ids, mask = np.pad(ids, padding), np.pad(mask, padding)
        features, *named = self._text(dict(zip(TEXT_INPUTS, (ids[None], mask[None]), strict=True)))
        return Encoded(features[0], mask, *(categories[0] for categories in named))

    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        if not self._pass_sizes:
            return self._scores(self._pass(images, texts, image_of))
        passes = split_into_passes(image_of, self._pass_sizes)
        outputs = []
        for pairs in passes:
            image = image_of[pairs[0]]
            outputs.append(self._pass(images[image : image + 1], [texts[i] for i in pairs], [0] * len(pairs)))
        if len(outputs) == 1:
            return self._scores(outputs[0])
        order = np.argsort(np.concatenate(passes))
        return self._scores([np.concatenate(parts)[order] for parts in zip(*outputs, strict=True)])

    def _pass(
        self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]
    ) -> Sequence[np.ndarray]:
        features, masks, categories = zip(*texts, strict=True)
        inputs = [images, np.stack(features), np.stack(masks), np.asarray(image_of, np.int64)]
        if self.config.guide:
            inputs.append(np.stack(categories))
        return self._frame(dict(zip(frame_inputs(self.config), inputs, strict=True)))

    def _scores(self, outputs: Sequence[np.ndarray]) -> Scores:
        return Scores(**dict(zip(frame_outputs(self.config), outputs, strict=True)))


def split_into_passes(image_of: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Split pairs, given by the image of each, into passes about one image; the last of `sizes` is 1.

    >>> split_into_passes([0, 0, 1, 0, 1, 0, 0], sizes=(4, 2, 1))
    [[0, 1, 3, 5], [6], [2, 4]]
    """
    passes = []
    for image in dict.fromkeys(image_of):
        left = [pair for pair, of in enumerate(image_of) if of == image]
        for size in sizes:
            while len(left) >= size:
                passes.append(left[:size])
                left = left[size:]
    return passes
