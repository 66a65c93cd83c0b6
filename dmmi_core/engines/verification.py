"""Compares an engine with PyTorch, on inputs that need no files."""

import cv2
import numpy as np

from dmmi_core.engines.engine import Engine, Scores

TOLERANCE = {"fp32": 1e-3, "bf16": 0.5, "fp16": 0.5}
"""Largest disagreement of a verified engine. It is about 1e-5 in float32, and 1 or more for an engine that
computes something else. Half precisions round a thousand times more coarsely, and the margins of the probe,
a random image, are faint: at a disagreement of 0.35 masks of photographs overlap by 98 %."""


def disagreement(engine: Engine, reference: Engine) -> float:
    """Return how far an engine's scores are from the reference's: the largest error of all its values.

    The error of a map is the root mean square of its difference, in standard deviations of the reference;
    that of presence is the largest difference of probabilities. It is infinite if a value is not finite.
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
    """Return scores of two blurred random images with a short and a long text: each pair alone, then two at
    once, which engines may run in another way."""
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
    joined: dict[str, np.ndarray] = {
        name: np.concatenate([getattr(each, name) for each in scores])
        for name, values in scores[0]._asdict().items()
        if values is not None
    }
    return Scores(**joined)
