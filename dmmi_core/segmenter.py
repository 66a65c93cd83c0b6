"""The public inference API: an image and a text in, instances or "no target" out."""

import logging
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase

from dmmi_core.checkpoint import find_model, load_model
from dmmi_core.device import select_device
from dmmi_core.errors import InputError
from dmmi_core.instances import GROUPING, GROUPINGS, group_instances, union_mask
from dmmi_core.model import Dmmi, DmmiOutput
from dmmi_core.model.text import tokenize
from dmmi_core.resizing import resize
from dmmi_core.result import Result, Status

logger = logging.getLogger(__name__)
CACHED_TEXTS = 256
PAIRS_AT_ONCE = 16
"""More would need more memory, and are hardly faster."""


class Segmenter:
    """Finds every object that a text refers to, or says that there is none.

    `presence_threshold`: below this probability that the image holds any target, the answer is NO_TARGET;
    by default the model's own. A model without a presence head answers so only where no pixel is foreground.
    `mask_threshold`: a pixel is foreground above this probability.
    `min_area`: a group of fewer foreground pixels is not an instance.
    `grouping`: how foreground becomes instances, one of `dmmi_core.instances.GROUPINGS`.
    These four may be changed between calls. The features of recent texts are kept, so a frame with a
    known text costs the visual side only.
    """

    def __init__(
        self,
        model: Dmmi,
        tokenizer: PreTrainedTokenizerBase,
        *,
        device: str = "auto",
        presence_threshold: float | None = None,
        mask_threshold: float = 0.5,
        min_area: int = 64,
        grouping: str = GROUPING,
    ):
        if grouping not in GROUPINGS:
            raise InputError(f"grouping is {grouping!r}; it must be one of {', '.join(GROUPINGS)}")
        self.device = str(select_device(device))
        calibrated = model.config.presence_threshold
        self.presence_threshold = calibrated if presence_threshold is None else presence_threshold
        self.mask_threshold = mask_threshold
        self.min_area = min_area
        self.grouping = grouping
        self._model = model.eval().to(self.device, memory_format=torch.channels_last)
        self._tokenizer = tokenizer
        self._text_features = lru_cache(CACHED_TEXTS)(self._encode)

    @classmethod
    def from_pretrained(cls, model: str | Path = "dmmi-lite", **options) -> "Segmenter":
        """Opens a model folder, or a model shipped with this package by its name; never uses a network.

        `options` are those of the constructor; `device` is "auto", "cpu", "cuda" or "cuda:N".
        Raises ModelError where the model is missing or damaged or the device is not there.
        """
        return cls(*load_model(find_model(model)), **options)

    def __call__(self, image: np.ndarray, text: str) -> Result:
        """image uint8 RGB (H, W, 3). Raises InputError for any other, and for an empty text."""
        return self.batch([image], [text])[0]

    def batch(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[Result]:
        """One result for each pair of image and text, in forward passes of at most `PAIRS_AT_ONCE`.

        Sizes may differ. Texts about one image, the same object, share what the network does before the
        first fusion. `timing_ms` of each result is that of its whole pass.
        """
        _check_numbers(images, texts)
        results: list[Result] = []
        for start in range(0, len(texts), PAIRS_AT_ONCE):
            chunk = slice(start, start + PAIRS_AT_ONCE)
            results += self._pass(images[chunk], texts[chunk])
        return results

    @torch.inference_mode()
    def _pass(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[Result]:
        clock = _Clock()
        output = self._forward(images, texts, clock)
        foreground = output.logits.softmax(dim=1)[:, 1].float().cpu().numpy()
        presence = self._presence(output, foreground)
        clock.lap("network")
        results = [
            self._result(text, image.shape[:2], map_, float(present), clock.laps)
            for text, image, map_, present in zip(texts, images, foreground, presence, strict=True)
        ]
        clock.lap("postprocess")
        return results

    @torch.inference_mode()
    def foreground(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """What the network alone takes for foreground, at its own size: bool (B, S, S), B at least 1.

        Neither presence nor a threshold has a say: a pixel is what has the higher of its two scores.
        """
        _check_numbers(images, texts)
        return self._forward(images, texts, _Clock()).logits.argmax(dim=1).bool().cpu().numpy()

    def _forward(self, images: Sequence[np.ndarray], texts: Sequence[str], clock: "_Clock") -> DmmiOutput:
        """The network's output for pairs of image and text."""
        distinct = {id(image): image for image in images}
        pixels = self._pixels([_checked_image(image) for image in distinct.values()])
        clock.lap("preprocess")
        features, mask = self._texts([_checked_text(text) for text in texts])
        clock.lap("text")
        image_of = None
        if len(distinct) < len(images):
            order = {key: index for index, key in enumerate(distinct)}
            image_of = torch.tensor([order[id(image)] for image in images], device=self.device)
        return self._model(self._model.normalize(pixels), features, mask, image_of=image_of)

    def _pixels(self, images: Sequence[np.ndarray]) -> Tensor:
        """The images at the network's size, uint8 (B, 3, S, S)."""
        config = self._model.config
        resized = [resize(image, config.image_size, config.antialias) for image in images]
        return torch.from_numpy(np.stack(resized)).to(self.device).permute(0, 3, 1, 2)

    def _texts(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Features (B, L, D) and mask (B, L), padded to the longest text."""
        features, masks = zip(*(self._text_features(text) for text in texts), strict=True)
        return pad_sequence(features, batch_first=True), pad_sequence(masks, batch_first=True)

    def _encode(self, text: str) -> tuple[Tensor, Tensor]:
        """E of one text, (L, D), and its mask, (L,)."""
        config = self._model.config
        limit = config.max_tokens
        ids, mask = tokenize(self._tokenizer, [text], limit, fill=config.attend_padding)
        count = len(self._tokenizer(text, verbose=False)["input_ids"])
        if count > limit:
            logger.warning(
                "the text has %d word pieces; only the first %d are read: %.60s...", count, limit, text
            )
        ids, mask = ids.to(self.device), mask.to(self.device)
        return self._model.encode_text(ids, mask)[0], mask[0]

    def _presence(self, output: DmmiOutput, foreground: np.ndarray) -> np.ndarray:
        """Probability of any target, (B,): the highest of any pixel where the model has no presence head."""
        if output.presence is None:
            return foreground.max(axis=(1, 2))
        return (output.presence / self._model.config.presence_temperature).sigmoid().float().cpu().numpy()

    def _is_rejected(self, presence: float) -> bool:
        return self._model.config.presence and presence < self.presence_threshold

    def _result(
        self,
        text: str,
        size: tuple[int, int],
        foreground: np.ndarray,
        presence: float,
        timing: dict[str, float],
    ) -> Result:
        instances = ()
        if not self._is_rejected(presence) and foreground.max() > self.mask_threshold:
            probability = cv2.resize(foreground, size[::-1], interpolation=cv2.INTER_LINEAR)
            instances = group_instances(probability, self.mask_threshold, self.min_area, self.grouping)
        return Result(
            text=text,
            status=Status.of_count(len(instances)),
            presence=presence,
            presence_threshold=self.presence_threshold,
            mask=union_mask(instances, *size),
            instances=instances,
            grouping=self.grouping,
            timing_ms=timing,
        )


class _Clock:
    """Milliseconds of each step so far; `laps` is shared with the results, which see the last lap too."""

    def __init__(self):
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1e3, 3)
        self._last = now


def _check_numbers(images: Sequence[np.ndarray], texts: Sequence[str]) -> None:
    if len(images) != len(texts):
        raise InputError(f"{len(images)} images but {len(texts)} texts: give one text for each image")


def _checked_image(image: np.ndarray) -> np.ndarray:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        described = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"the image must be uint8 RGB (height, width, 3), not {described}")
    if image.size == 0:
        raise InputError(f"the image is empty: {image.shape}")
    return image


def _checked_text(text: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InputError("the text is empty: say what to look for")
    return text
