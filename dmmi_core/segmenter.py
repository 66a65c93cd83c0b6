"""The public inference API: an image and a text in, instances or "no target" out."""

import logging
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from dmmi_core.checkpoints.folder import find_model
from dmmi_core.engines.engine import Encoded, Engine, Scores
from dmmi_core.engines.selection import open_engine
from dmmi_core.errors import InputError
from dmmi_core.grammar import expression_of, names_nothing
from dmmi_core.instances.centres import group_by_centres
from dmmi_core.instances.grouping import GROUPINGS, group_instances, grouping_for, union_mask
from dmmi_core.resizing import resize
from dmmi_core.result import Result, Status
from dmmi_core.tokenizer import WordPieces

if TYPE_CHECKING:
    from dmmi_core.model import Dmmi

logger = logging.getLogger(__name__)
CACHED_TEXTS = 256
CENTRES = "centres"


class Segmenter:
    """Finds every object that a text refers to, or says that there is none.

    `presence_threshold`: below this probability that the image holds any target, the answer is NO_TARGET;
    by default the model's own. A model without a presence head answers so only where no pixel is foreground.
    `mask_threshold`: a pixel is foreground above this probability.
    `min_area`: a group of fewer foreground pixels is not an instance.
    `grouping`: how foreground becomes instances, one of `GROUPINGS` in `dmmi_core.instances.grouping`, or
    "centres" if the
    model has an instance head. The default is "single" for a text about one object, and otherwise "centres"
    or, without that head, "watershed".
    `pairs_at_once`: how many pairs of image and text go through the network together; more need more memory,
    and on a CPU are hardly faster.
    These five may be changed between calls. The features of recent texts are kept, so a frame with a
    known text costs the visual side only.
    """

    def __init__(
        self,
        engine: Engine,
        word_pieces: WordPieces,
        *,
        presence_threshold: float | None = None,
        mask_threshold: float = 0.5,
        min_area: int = 64,
        grouping: str | None = None,
        pairs_at_once: int = 16,
    ):
        known = (CENTRES, *GROUPINGS) if engine.config.instances else tuple(GROUPINGS)
        if grouping not in (None, *known):
            raise InputError(f"grouping is {grouping!r}; it must be one of {', '.join(known)}")
        calibrated = engine.config.presence_threshold
        self.engine = engine
        self.presence_threshold = calibrated if presence_threshold is None else presence_threshold
        self.mask_threshold = mask_threshold
        self.min_area = min_area
        self.grouping = grouping
        self.pairs_at_once = pairs_at_once
        self.word_pieces = word_pieces
        self._encoded = lru_cache(CACHED_TEXTS)(self._encode)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path = "dmmi-lite",
        *,
        engine: str = "auto",
        precision: str = "auto",
        device: str = "auto",
        **options,
    ) -> "Segmenter":
        """Opens a model folder, or a model shipped with this package by its name; never uses a network.

        `engine` and `precision` are "auto" or one of `dmmi_core.engines`; "auto" chooses the fastest that was
        found to agree with PyTorch. `device` is "auto", "cpu", "cuda" or "cuda:N". `options` are those of the
        constructor.
        Raises ModelError where the model is missing or damaged, or cannot be run as asked for.
        """
        folder = find_model(model)
        opened = open_engine(folder, engine=engine, precision=precision, device=device)
        return cls(opened, WordPieces.read(folder, opened.config), **options)

    @classmethod
    def of_network(cls, network: "Dmmi", tokenizer, *, device: str = "auto", **options) -> "Segmenter":
        """The reference, plain PyTorch in float32, of a network in memory and its transformers tokenizer."""
        from dmmi_core.engines.torch_engine import TorchEngine

        engine = TorchEngine(network, device=device)
        return cls(engine, WordPieces(tokenizer.backend_tokenizer, network.config), **options)

    @property
    def device(self) -> str:
        return self.engine.device

    def __call__(self, image: np.ndarray, text: str) -> Result:
        """image uint8 RGB (H, W, 3). Raises InputError for any other, and for an empty text.

        A text may be a whole request: of "Could you find the cups, please?" only "the cups" is read.
        """
        return self.batch([image], [text])[0]

    def batch(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[Result]:
        """One result for each pair of image and text, in forward passes of at most `pairs_at_once`.

        Sizes may differ. Texts about one image, the same object, share what the network does before the
        first fusion. `timing_ms` of each result is that of its whole pass. Raises InputError as a single call
        does.
        """
        images = list(images)  # each stays one object, which an array of images does not give
        _check_pairs(images, texts)
        results: list[Result] = []
        for start in range(0, len(texts), self.pairs_at_once):
            chunk = slice(start, start + self.pairs_at_once)
            results += self._pass(images[chunk], texts[chunk])
        return results

    def warm_up(self) -> None:
        """Runs on nothing, so that no image waits for what engines set up for one text or for several."""
        nothing = np.zeros((480, 640, 3), np.uint8)
        for texts in (["warm"], ["warm", "up"]):
            self.batch([nothing] * len(texts), texts)

    def foreground(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """What the network alone takes for foreground, at its own size: bool (B, S, S), B at least 1.

        Neither presence nor a threshold has a say: a pixel is what has the higher of its two scores. Texts
        are read in full.
        """
        images = list(images)
        _check_pairs(images, texts)
        return self._scores(images, texts, _Clock()).margin > 0

    def _pass(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[Result]:
        clock = _Clock()
        expressions = [expression_of(text) for text in texts]
        scores = self._scores(images, expressions, clock)
        clock.lap("network")
        foreground = _sigmoid(scores.margin)
        for row, expression in enumerate(expressions):
            if names_nothing(expression):
                foreground[row] = 0
        presence = self._presence(scores, foreground)
        results = [
            self._result(
                text, self._grouping(expression), image.shape[:2], map_, present, centres, clock.laps
            )
            for text, expression, image, map_, present, centres in zip(
                texts,
                expressions,
                images,
                foreground,
                presence,
                _centres(scores),
                strict=True,
            )
        ]
        clock.lap("postprocess")
        return results

    def _scores(self, images: Sequence[np.ndarray], texts: Sequence[str], clock: "_Clock") -> Scores:
        """The engine's, for pairs of image and text."""
        distinct = {id(image): image for image in images}
        number = {key: index for index, key in enumerate(distinct)}
        config = self.engine.config
        pixels = np.stack(
            [resize(_checked_image(i), config.image_size, config.antialias) for i in distinct.values()]
        )
        clock.lap("preprocess")
        encoded = [self._encoded(text) for text in texts]
        clock.lap("text")
        return self.engine.score(pixels, encoded, [number[id(image)] for image in images])

    def _encode(self, text: str) -> Encoded:
        pieces = self.word_pieces(text)
        limit = self.engine.config.max_tokens
        if pieces.count > limit:
            logger.warning(
                "the text has %d word pieces; only the first %d are read: %.60s...", pieces.count, limit, text
            )
        return self.engine.encode(pieces.ids, pieces.mask)

    def _presence(self, scores: Scores, foreground: np.ndarray) -> list[float]:
        """Probabilities of any target: the highest of any pixel where the model has no presence head."""
        highest = foreground.max(axis=(1, 2))
        if scores.presence is None:
            return highest.tolist()
        probability = _sigmoid(scores.presence / self.engine.config.presence_temperature)
        return np.where(highest > 0, probability, 0).tolist()

    def _is_rejected(self, presence: float) -> bool:
        return self.engine.config.presence and presence < self.presence_threshold

    def _grouping(self, expression: str) -> str:
        several = CENTRES if self.engine.config.instances else "watershed"
        return self.grouping or grouping_for(expression, several=several)

    def _result(
        self,
        text: str,
        grouping: str,
        size: tuple[int, int],
        foreground: np.ndarray,
        presence: float,
        centres: tuple[np.ndarray, np.ndarray] | None,
        timing: dict[str, float],
    ) -> Result:
        instances = ()
        if not self._is_rejected(presence) and foreground.max() > self.mask_threshold:
            probability = cv2.resize(foreground, size[::-1], interpolation=cv2.INTER_LINEAR)
            limits = {"mask_threshold": self.mask_threshold, "min_area": self.min_area}
            if grouping == CENTRES:
                instances = group_by_centres(probability, *centres, **limits)
            else:
                instances = group_instances(probability, grouping=grouping, **limits)
        return Result(
            text=text,
            status=Status.of_count(len(instances)),
            presence=presence,
            presence_threshold=self.presence_threshold,
            mask=union_mask(instances, *size),
            instances=instances,
            grouping=grouping,
            timing_ms=timing,
        )


def _centres(scores: Scores) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """Heat and offsets of each text, or None where the model has no instance head."""
    if scores.centres is None:
        return [None] * len(scores.margin)
    return list(zip(scores.centres, scores.offsets, strict=True))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """In place."""
    np.negative(logits, out=logits)
    with np.errstate(over="ignore"):  # exp of much is infinite, whose inverse is the 0 that is meant
        np.exp(logits, out=logits)
    logits += 1
    return np.reciprocal(logits, out=logits)


class _Clock:
    """Milliseconds of each step so far; `laps` is shared with the results, which see the last lap too."""

    def __init__(self):
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1e3, 3)
        self._last = now


def _check_pairs(images: Sequence[np.ndarray], texts: Sequence[str]) -> None:
    if len(images) != len(texts):
        raise InputError(f"{len(images)} images but {len(texts)} texts: give one text for each image")
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise InputError("the text is empty: say what to look for")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise InputError(f"the text is not valid Unicode: {text!r}")


def _checked_image(image: np.ndarray) -> np.ndarray:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        described = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"the image must be uint8 RGB (height, width, 3), not {described}")
    if image.size == 0:
        raise InputError(f"the image is empty: {image.shape}")
    return image
