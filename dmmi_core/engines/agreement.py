"""How far an engine is from the reference, on inputs that need no files."""

import cv2
import numpy as np

from dmmi_core.engines.engine import Engine, Scores

TOLERANCE = {"fp32": 1e-3, "bf16": 0.5, "fp16": 0.5}
"""Disagreement up to which an engine counts as verified. Of float32 it is some 1e-5; of one that computes
something else, 1 or more. Half precisions round a thousand times more coarsely, and the probe, which is no
photograph of anything, has faint margins: where it is 0.35, masks of photographs overlap by 98 %."""


def disagreement(engine: Engine, reference: Engine) -> float:
    """Root mean square of the difference of the margins, in standard deviations of the reference's.

    Infinite where an engine gives a value that is not finite.
    """
    ours, expected = (np.stack([scores.margin for scores in probe(e)]) for e in (engine, reference))
    error = np.sqrt(np.mean(np.square(ours - expected))) / max(float(expected.std()), 1e-6)
    return float(error) if np.isfinite(error) else float("inf")


def probe(engine: Engine) -> list[Scores]:
    """Of two blurred random pictures, each with a short text and with a long one."""
    config, random = engine.config, np.random.default_rng(0)
    coarse = random.integers(0, 256, (2, 8, 8, 3), np.uint8)
    size = (config.image_size, config.image_size)
    images = [cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)[None] for image in coarse]
    texts = []
    for length in (min(5, config.max_tokens), config.max_tokens):
        tokens = config.max_tokens if config.attend_padding else length
        ids = random.integers(1, config.text_encoder.vocab_size, tokens)
        texts.append(engine.encode(ids, np.arange(tokens) < length))
    return [engine.score(image, [text], [0]) for image in images for text in texts]
