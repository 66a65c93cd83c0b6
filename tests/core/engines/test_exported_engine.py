"""How pairs of image and text are split into passes of the sizes that a runtime compiled."""

from dataclasses import replace

import numpy as np
import pytest

from dmmi_core.checkpoints.model_folder import read_config
from dmmi_core.engines.engine import Encoded
from dmmi_core.engines.exported_engine import ExportedEngine, split_into_passes


@pytest.mark.parametrize("image_of", [[0], [0, 1], [0, 0, 0], [1, 0, 1, 1, 0, 1, 1], [0] * 9, [2, 1, 0]])
def test_each_pair_is_in_one_pass_about_its_image(image_of):
    passes = split_into_passes(image_of, sizes=(4, 2, 1))
    assert sorted(pair for pairs in passes for pair in pairs) == list(range(len(image_of)))
    assert all(len({image_of[pair] for pair in pairs}) == 1 and len(pairs) in (4, 2, 1) for pairs in passes)


def test_as_few_passes_as_the_sizes_allow():
    assert [len(pairs) for pairs in split_into_passes([0] * 7, sizes=(4, 2, 1))] == [4, 2, 1]


@pytest.mark.parametrize("pass_sizes", [(), (2, 1)])
def test_scores_are_in_the_order_of_the_texts(pass_sizes, model_folder):
    def frame(inputs):
        images, texts = inputs["image"][inputs["image_of"]], inputs["text"]
        return [(10 * images[:, 0, 0, :1] + texts[:, 0]).astype(np.float32)[..., None]]

    config = replace(read_config(model_folder), presence=False, guide=None, instances=False)
    engine = ExportedEngine("any", config, None, frame, precision="fp32", device="cpu", pass_sizes=pass_sizes)
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] + np.zeros((3, 4, 4, 3), np.uint8)
    texts = [Encoded(np.full((2, 1), number), np.ones(2, bool)) for number in range(5)]
    scores = engine.score(images, texts, [2, 0, 2, 1, 2])
    assert scores.margin.ravel().tolist() == [20, 1, 22, 13, 24]
