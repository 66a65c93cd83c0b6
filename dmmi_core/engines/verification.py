"""How far an engine is from the reference, on inputs that need no files."""

import cv2
import numpy as np

from dmmi_core.engines.engine import Engine, Scores

TOLERANCE = {"fp32": 1e-3, "bf16": 0.5, "fp16": 0.5}
"""Disagreement up to which an engine counts as verified. Of float32 it is some 1e-5; of one that computes
something else, 1 or more. Half precisions round a thousand times more coarsely, and the probe, which is no
photograph of anything, has faint margins: where it is 0.35, masks of photographs overlap by 98 %."""


def disagreement(engine: Engine, reference: Engine) -> float:
    """How far the scores are from the reference's: the largest of what holds for each of its values.

    Of maps the root mean square of the difference, in standard deviations of the reference's; of presence
    the largest difference of probabilities. Infinite where an engine gives a value that is not finite.
    """
    ours, expected = probe(engine), probe(reference)
    errors = []
    for name, values in expected._asdict().items():
        if values is None:
            continue
        found = getattr(ours, name)
        if name == "presence":
            errors.append(np.abs(_probability(found) - _probability(values)).max())
        else:
            errors.append(np.sqrt(np.mean(np.square(found - values))) / max(values.std(), 1e-6))
    error = float(max(errors))
    return error if np.isfinite(errors).all() else float("inf")


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
    return Scores(*(None if v[0] is None else np.concatenate(v) for v in zip(*scores, strict=True)))
