"""The public inference API: an image and a text in, instances or "no target" out."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dmmi_core.checkpoints.model_folder import find_model
from dmmi_core.engines.engine import Encoded, Engine, Scores
from dmmi_core.engines.selection import open_engine
from dmmi_core.errors import InputError
from dmmi_core.grammar import expression_of, names_nothing
from dmmi_core.instances.detections import Detections
from dmmi_core.instances.find import Found, TextScores, check_grouping, default_grouping, find_instances
from dmmi_core.instances.grouping import union_mask
from dmmi_core.resizing import resize
from dmmi_core.result import Result, Status
from dmmi_core.segmenter_options import Options
from dmmi_core.tokenizer import WordPieces
from dmmi_core.visible_text import strip_hidden

if TYPE_CHECKING:
    from dmmi_core.model import Dmmi

logger = logging.getLogger(__name__)
CACHED_TEXTS = 256


class Segmenter:
    """Finds every object that a text refers to, or says that there is none.

    Takes the fields of `Options` as keyword arguments. The features of recent texts are kept, so a frame with
    a known text costs the visual side only.
    """

    def __init__(self, engine: Engine, word_pieces: WordPieces, **options):
        self.engine = engine
        self.word_pieces = word_pieces
        self.options = Options(**options)
        check_grouping(self.options.grouping, has_head=engine.config.instances)
        self._encoded = lru_cache(CACHED_TEXTS)(self._encode)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path = "dmmi-lite",
        *,
        engine: str = "auto",
        precision: str = "auto",
        device: str = "auto",
        on_progress: Callable[[str], None] | None = None,
        **options,
    ) -> "Segmenter":
        """Open a model. Never uses a network.

        Args:
            model: a model folder, or the name of a model that is shipped with this package.
            engine: "auto", or one of `ENGINES` in `dmmi_core.engines.registry`; "auto" is the fastest that
                agrees with PyTorch.
            precision: "auto" or one of `PRECISIONS`, there too.
            device: "auto", "cpu", "cuda" or "cuda:N".
            on_progress: called about twice a second with a line of progress if the model must be exported
                first, which takes about a minute; an exception from it ends the export. By default the
                progress is logged.
            options: fields of `Options`.

        Raises:
            ModelError: the model is missing or damaged, or cannot be run as asked for.
            InputError: an option makes no sense.
        """
        folder = find_model(model)
        opened = open_engine(
            folder, engine=engine, precision=precision, device=device, on_progress=on_progress
        )
        return cls(opened, WordPieces.read(folder, opened.config), **options)

    @classmethod
    def of_network(cls, network: "Dmmi", tokenizer, *, device: str = "auto", **options) -> "Segmenter":
        """Return a segmenter that runs a network in memory, with its transformers tokenizer, in PyTorch."""
        from dmmi_core.engines.torch_engine import TorchEngine

        engine = TorchEngine(network, device=device)
        return cls(engine, WordPieces(tokenizer.backend_tokenizer, network.config), **options)

    @property
    def device(self) -> str:
        return self.engine.device

    @property
    def presence_threshold(self) -> float:
        """The threshold in use: that of the options, or else the model's own."""
        return self._threshold(self.options)

    def __call__(self, image: np.ndarray, text: str, options: Options | None = None) -> Result:
        """Find what `text` refers to in an image.

        Args:
            image: uint8 RGB (H, W, 3).
            text: an expression or a whole request; of "Could you find the cups, please?" only "the cups" is
                read.
            options: for this call, in place of the segmenter's own.

        Raises:
            InputError: the image is of another kind, or the text is empty.
        """
        return self.batch([image], [text], options)[0]

    def batch(
        self, images: Sequence[np.ndarray], texts: Sequence[str], options: Options | None = None
    ) -> list[Result]:
        """Return one result for each pair of image and text.

        Sizes may differ. Texts about one image, the same object, share the network's work before the first
        fusion. `timing_ms` of a result is that of its whole forward pass. Raises InputError as a single call
        does.
        """
        options = options or self.options
        check_grouping(options.grouping, has_head=self.engine.config.instances)
        images = list(images)  # each stays one object, which an array of images does not give
        _check_pairs(images, texts)
        results: list[Result] = []
        for start in range(0, len(texts), options.pairs_at_once):
            chunk = slice(start, start + options.pairs_at_once)
            results += self._pass(images[chunk], texts[chunk], options)
        return results

    def warm_up(self) -> None:
        """Run once, so that no image waits for what engines compile for one text.

        The first call with several texts about one image compiles again: OpenVINO takes about a second for
        it, and keeps 150 MiB that most robots never need.
        """
        self(np.zeros((480, 640, 3), np.uint8), "warm up")

    def foreground(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """Return the network's own foreground, bool (B, S, S), at its own size; B is at least 1.

        A pixel is foreground if its score exceeds the background's; presence and thresholds are not used.
        Texts are read in full.
        """
        images = list(images)
        _check_pairs(images, texts)
        return self._scores(images, texts, _Clock()).margin > 0

    def _threshold(self, options: Options) -> float:
        own = self.engine.config.presence_threshold
        return own if options.presence_threshold is None else options.presence_threshold

    def _pass(self, images: Sequence[np.ndarray], texts: Sequence[str], options: Options) -> list[Result]:
        clock = _Clock()
        expressions = [expression_of(text) for text in texts]
        scores = self._scores(images, expressions, clock)
        clock.lap("network")
        foreground = _sigmoid(scores.margin)
        for row, expression in enumerate(expressions):
            if names_nothing(expression):
                foreground[row] = 0
        presence = self._presence(scores, foreground)
        results = []
        for row, (image, expression) in enumerate(zip(images, expressions, strict=True)):
            height, width = image.shape[:2]
            grouping = options.grouping or default_grouping(expression, has_head=self.engine.config.instances)
            found = Found(np.zeros((height, width), bool), ())
            if not self._is_rejected(presence[row], options):
                found = find_instances(
                    _of_text(scores, row, foreground[row]), (height, width), expression, grouping, options
                )
            results.append(
                Result(
                    text=texts[row],
                    status=Status.of_count(len(found.instances)),
                    presence=presence[row],
                    presence_threshold=self._threshold(options),
                    mask=union_mask(found.instances, height, width),
                    instances=found.instances,
                    grouping=grouping,
                    foreground=found.foreground,
                    timing_ms=clock.laps,
                )
            )
        clock.lap("postprocess")
        return results

    def _scores(self, images: Sequence[np.ndarray], texts: Sequence[str], clock: "_Clock") -> Scores:
        """Return the engine's scores of pairs of image and text."""
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
        if pieces.total > limit:
            logger.warning(
                "the text has %d word pieces; only the first %d are read: %.60s...", pieces.total, limit, text
            )
        return self.engine.encode(pieces.ids, pieces.mask)

    def _presence(self, scores: Scores, foreground: np.ndarray) -> list[float]:
        """Return probabilities of any target; without a presence head, the highest of any pixel."""
        highest = foreground.max(axis=(1, 2))
        if scores.presence is None:
            return highest.tolist()
        probability = _sigmoid(scores.presence / self.engine.config.presence_temperature)
        return np.where(highest > 0, probability, 0).tolist()

    def _is_rejected(self, presence: float, options: Options) -> bool:
        return self.engine.config.presence and presence < self._threshold(options)


def _of_text(scores: Scores, row: int, probability: np.ndarray) -> TextScores:
    """Return the scores of one text, with its foreground probabilities."""
    centres, offsets, logits, boxes = (
        None if values is None else values[row]
        for values in (scores.centres, scores.offsets, scores.detections, scores.boxes)
    )
    detections = None if logits is None or boxes is None else Detections(logits, boxes)
    return TextScores(probability, centres, offsets, detections)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """Compute the sigmoid in place."""
    np.negative(logits, out=logits)
    with np.errstate(over="ignore"):  # exp overflows to infinity, whose inverse is 0 as it should be
        np.exp(logits, out=logits)
    logits += 1
    return np.reciprocal(logits, out=logits)


class _Clock:
    """Milliseconds of each step; the results share `laps`, so that they see the last one too."""

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
        if not isinstance(text, str) or not strip_hidden(text):
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
