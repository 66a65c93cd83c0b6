"""Resizing to the square of the network, against Pillow."""

import numpy as np
import pytest
from PIL import Image

from dmmi_core.resizing import resize, resize_mask

SIZES = [(300, 200), (90, 40), (33, 500), (64, 64), (1, 7), (97, 131)]


def random_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_antialiased_as_pillow(size):
    image = random_image(*size)
    expected = Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.abs(resize(image, 64, True).astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize(("size", "side"), [(size, side) for size in SIZES for side in (32, 64, 90)])
def test_masks_as_pillow(size, side):
    """To the pixel, also where a centre lies on the border of two."""
    mask = random_image(*size)[..., 0] > 127
    expected = Image.fromarray(mask.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
    resized = resize_mask(mask, side)
    assert resized.dtype == bool and np.array_equal(resized, np.asarray(expected))


def test_shrinking_is_by_the_mean_of_the_area():
    image = random_image(64, 128)
    expected = image.reshape(32, 2, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize(image, 32, False) - expected).max() <= 0.5


@pytest.mark.parametrize("antialias", [True, False])
def test_views_work(antialias):
    image = random_image(40, 50)[:, ::-1]
    image.setflags(write=False)
    assert np.array_equal(resize(image, 64, antialias), resize(image.copy(), 64, antialias))
