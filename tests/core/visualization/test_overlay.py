import numpy as np
import pytest

from dmmi_core.instances.grouping import group_instances, union_mask
from dmmi_core.result import Result, Status
from dmmi_core.visualization.overlay import PALETTE, draw_overlay

HEIGHT, WIDTH = 240, 320


def make_result(probability: np.ndarray, text: str) -> Result:
    instances = group_instances(probability.astype(np.float32), 0.5, 1)
    mask = union_mask(instances, *probability.shape)
    return Result(text, Status.of_count(len(instances)), 0.75, 0.5, mask, instances, "watershed")


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(60, 200, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture
def result():
    probability = np.zeros((HEIGHT, WIDTH))
    probability[20:60, 30:90] = probability[100:200, 200:300] = 1
    return make_result(probability, "the two cups")


def test_instances_are_tinted_where_they_are(image, result):
    before = image.copy()
    drawn = draw_overlay(image, result)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert np.array_equal(image, before), "the image itself is not drawn on"
    change = drawn.astype(int) - image
    for index, inside in enumerate((np.s_[105:195, 205:295], np.s_[25:55, 35:85])):  # biggest first
        towards = (np.array(PALETTE[index]) - image[inside]) * change[inside]
        assert (towards >= 0).all() and change[inside].any(axis=2).all()
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[15:65, 25:95] = outside[95:205, 195:305] = outside[-20:] = False
    assert not change[outside].any()


def test_the_caption_is_on_the_bottom_rows(image):
    nothing = make_result(np.zeros((HEIGHT, WIDTH)), "the elephant")
    changed = (draw_overlay(image, nothing) != image).any(axis=2)
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.min() >= HEIGHT - 20 and rows.max() == HEIGHT - 1


def test_captions_differ_by_text_and_answer(image, result):
    nothing = np.zeros((HEIGHT, WIDTH))
    bars = [
        draw_overlay(image, r)[-17:]
        for r in (result, make_result(nothing, "the two cups"), make_result(nothing, "the two bikes"))
    ]
    assert not np.array_equal(bars[0], bars[1])
    assert not np.array_equal(bars[1], bars[2])


@pytest.mark.parametrize("text", ["", "cup " * 2000, "käse\n\tbrötchen", "x" * 3000])
@pytest.mark.parametrize("size", [(1, 1), (5, 300), (300, 5), (HEIGHT, WIDTH)])
def test_any_size_and_text(size, text):
    drawn = draw_overlay(np.zeros((*size, 3), np.uint8), make_result(np.ones(size), text))
    assert drawn.shape == (*size, 3)
