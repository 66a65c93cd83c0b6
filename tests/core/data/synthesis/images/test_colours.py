import cv2
import numpy as np
import pytest

from dmmi_core.data.synthesis.images.colours import COLOURS, colour_map, shares


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((210, 30, 30), "red"),
        ((30, 60, 200), "blue"),
        ((110, 190, 240), "blue"),
        ((40, 160, 50), "green"),
        ((250, 220, 40), "yellow"),
        ((250, 140, 20), "orange"),
        ((110, 60, 20), "brown"),
        ((120, 40, 170), "purple"),
        ((250, 120, 190), "pink"),
        ((250, 170, 170), "pink"),
        ((15, 15, 18), "black"),
        ((250, 250, 250), "white"),
        ((120, 122, 120), "gray"),
        ((50, 50, 52), None),
        ((172, 172, 172), None),
        ((150, 120, 125), None),
    ],
)
def test_plain_colours_have_their_names(rgb, name):
    (index,) = np.unique(colour_map(np.full((4, 5, 3), rgb, np.uint8)))
    assert (COLOURS[index] if index >= 0 else None) == name


def test_every_hue_has_a_name():
    hsv = np.full((1, 180, 3), 220, np.uint8)
    hsv[0, :, 0] = np.arange(180)
    assert (colour_map(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)) >= 0).all()


def test_shares_are_of_the_region_alone():
    image = np.zeros((2, 4, 3), np.uint8)
    image[0] = (210, 30, 30)
    image[1, :2] = (172, 172, 172)
    mask = np.array([[True, True, True, False], [True, False, True, False]])
    found = shares(colour_map(image), mask)
    assert found["red"] == pytest.approx(3 / 5) and found["black"] == pytest.approx(1 / 5)
    assert sum(found.values()) == pytest.approx(4 / 5), "one pixel is of no certain colour"
    assert not any(shares(colour_map(image), np.zeros((2, 4), bool)).values())
