"""One segmenter for several threads, as a program with several cameras may use it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dmmi_core import Segmenter

TEXTS = ("the dog", "the two cats on the left", "a cup")


@pytest.mark.parametrize("engine", ["torch", "onnx", "openvino"])
def test_answers_do_not_mix(model_folder, engine):
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (40 + n, 60, 3), np.uint8) for n in range(4)]
    segmenter = Segmenter.from_pretrained(
        model_folder, engine=engine, precision="fp32", device="cpu", presence_threshold=0.0
    )
    pairs = [(picture, text) for picture in pictures for text in TEXTS] * 4
    alone = [segmenter(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: segmenter(*pair), pairs))
    assert len({result.presence for result in alone}) == len(pictures) * len(TEXTS)
    for one, other in zip(alone, together, strict=True):
        assert other.text == one.text and other.presence == pytest.approx(one.presence, abs=1e-6)
        assert np.array_equal(other.mask, one.mask)
