"""How far an engine is from the reference, on inputs that need no files."""

import cv2
import numpy as np

from dmmi_core.engines.engine import Engine, Scores

TOLERANCE = {"fp32": 1e-3, "bf16": 0.5, "fp16": 0.5}
"""Disagreement up to which an engine counts as verified. Of float32 it is some 1e-5; of one that computes
something else, 1 or more. Half precisions round a thousand times more coarsely, and the probe, which is no
photograph of anything, has faint margins: where it is 0.35, masks of photographs overlap by 98 %."""


def disagreement(engine: Engine, reference: Engine) -> float:
    """How far the scores are from the reference's: the larger of what holds for margins and for presence.

    Of margins the root mean square of the difference, in standard deviations of the reference's; of presence
    the largest difference of probabilities. Infinite where an engine gives a value that is not finite.
    """
    ours, expected = probe(engine), probe(reference)
    error = np.sqrt(np.mean(np.square(ours.margin - expected.margin))) / max(expected.margin.std(), 1e-6)
    if expected.presence is not None:
        difference = np.abs(_probability(ours.presence) - _probability(expected.presence))
        error = np.maximum(error, difference.max())
    return float(error) if np.isfinite(error) else float("inf")


def _probability(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(logits / 2))


def probe(engine: Engine) -> Scores:
    """Of two blurred random pictures, each with a short text and with a long one: each pair alone, and then
    two at once, which engines may run in another way."""
    config, random = engine.config, np.random.default_rng(0)
    coarse = random.integers(0, 256, (2, 8, 8, 3), np.uint8)
    size = (config.image_size, config.image_size)
    images = [cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)[None] for image in coarse]
    texts = []
    for length in (min(5, config.max_tokens), config.max_tokens):
        tokens = config.max_tokens if config.attend_padding else length
        ids = random.integers(1, config.text_encoder.vocab_size, tokens)
        texts.append(engine.encode(ids, np.arange(tokens) < length))
    scores = [engine.score(image, [text], [0]) for image in images for text in texts]
    scores.append(engine.score(np.concatenate(images), texts, [0, 1]))
    margins, presences = zip(*scores, strict=True)
    return Scores(np.concatenate(margins), None if presences[0] is None else np.concatenate(presences))
