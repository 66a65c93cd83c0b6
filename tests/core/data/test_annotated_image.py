"""Photographs with an EXIF orientation: the size of the annotation says which way they are meant."""

import numpy as np
import pytest
from PIL import Image

from dmmi_core.data.annotated_image import read_annotated_image
from dmmi_core.errors import InputError

ORIENTATION = 0x0112
"""The EXIF tag."""
STORED = np.zeros((32, 48, 3), np.uint8)
STORED[:, :16] = 255


def write(path, orientation: int, pixels: np.ndarray = STORED) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(path, quality=100, exif=exif)


def is_bright(image: np.ndarray) -> np.ndarray:
    return image[..., 0] > 128


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_annotation_of_the_stored_size_is_for_the_stored_pixels(tmp_path, orientation):
    path = tmp_path / "a.jpg"
    write(path, orientation)
    image = read_annotated_image(path, 32, 48)
    assert image.dtype == np.uint8
    assert np.array_equal(is_bright(image), is_bright(STORED))


@pytest.mark.parametrize(("orientation", "quarters"), [(6, -1), (8, 1)])
def test_an_annotation_of_the_turned_size_is_for_the_picture_as_shown(tmp_path, orientation, quarters):
    path = tmp_path / "a.jpg"
    write(path, orientation)
    image = read_annotated_image(path, 48, 32)
    assert np.array_equal(is_bright(image), is_bright(np.rot90(STORED, quarters)))


def test_squares_are_taken_as_stored(tmp_path):
    path, square = tmp_path / "a.jpg", STORED[:, :32]
    write(path, 6, square)
    assert np.array_equal(is_bright(read_annotated_image(path, 32, 32)), is_bright(square))


@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (48, 32)), (3, (48, 32)), (6, (47, 32)), (6, (32, 47))]
)
def test_other_sizes_are_refused(tmp_path, orientation, size):
    path = tmp_path / "a.jpg"
    write(path, orientation)
    height, width = size
    with pytest.raises(InputError, match=rf"a\.jpg is 48 x 32, but its annotation says {width} x {height}"):
        read_annotated_image(path, *size)
