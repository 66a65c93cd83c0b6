"""Instances by centres: two that touch come apart, one in parts stays one."""

import numpy as np

from dmmi_core.instances.centre_grouping import find_centres, group_by_centres

HEIGHT, WIDTH, MAP = 60, 80, 20


def network_says(boxes):
    """Return the outputs of a perfect network for boxes (left, top, right, bottom) in pixels."""
    probability = np.zeros((HEIGHT, WIDTH), np.float32)
    heat = np.full((MAP, MAP), -6, np.float32)
    offsets = np.zeros((2, MAP, MAP), np.float32)
    y, x = (np.mgrid[:MAP, :MAP] + 0.5) / MAP
    for left, top, right, bottom in boxes:
        probability[top:bottom, left:right] = 0.9
        centre = ((left + right) / 2 / WIDTH, (top + bottom) / 2 / HEIGHT)
        heat[int(centre[1] * MAP), int(centre[0] * MAP)] = 4
        inside = (x > left / WIDTH) & (x < right / WIDTH) & (y > top / HEIGHT) & (y < bottom / HEIGHT)
        offsets[:, inside] = np.stack([centre[0] - x, centre[1] - y])[:, inside]
    return probability, heat, offsets


def group(probability, heat, offsets, min_area=8):
    return group_by_centres(probability, heat, offsets, mask_threshold=0.5, min_area=min_area)


def test_two_that_touch_come_apart():
    found = group(*network_says([(8, 12, 32, 48), (32, 12, 64, 48)]))
    assert [i.id for i in found] == [1, 2]
    assert np.allclose([i.area for i in found], [32 * 36, 24 * 36], atol=36)
    assert np.allclose([(i.roi.x, i.roi.width) for i in found], [(32, 32), (8, 24)], atol=1)


def test_one_behind_a_post_stays_one():
    probability, heat, offsets = network_says([(8, 12, 64, 48)])
    probability[:, 30:36] = 0
    (instance,) = group(probability, heat, offsets)
    assert instance.area == (56 - 6) * 36


def test_a_count_keeps_the_likeliest_centres():
    probability, heat, offsets = network_says([(8, 12, 32, 48), (32, 12, 64, 48)])
    heat[15, 15] = 1  # a third, doubtful centre beside the second
    limits = {"mask_threshold": 0.5, "min_area": 8}
    offsets[:, 12:, 12:] = 0
    assert len(group_by_centres(probability, heat, offsets, **limits)) == 3
    assert len(group_by_centres(probability, heat, offsets, **limits, count=2)) == 2


def test_many_small_alike_ones():
    boxes = [(x, y, x + 8, y + 9) for x in range(0, 80, 16) for y in range(0, 60, 15)]
    found = group(*network_says(boxes))
    assert len(found) == len(boxes)
    assert {i.area for i in found} == {72}


def test_foreground_without_a_certain_centre_is_one():
    probability, heat, offsets = network_says([(8, 12, 32, 48)])
    (instance,) = group(probability, np.minimum(heat, -5), offsets)
    assert instance.area == 24 * 36


def test_small_groups_are_left_out():
    found = group(*network_says([(8, 12, 32, 48), (64, 12, 68, 15)]), min_area=20)
    assert [i.area for i in found] == [24 * 36]


def test_no_foreground_no_instances():
    assert group(np.zeros((HEIGHT, WIDTH), np.float32), *network_says([])[1:]) == ()


def test_of_neighbouring_positions_the_likeliest_is_the_centre():
    heat = np.full((MAP, MAP), -6, np.float32)
    heat[4, 4:7] = 1, 3, 2
    heat[10, 10] = 2
    centres = find_centres(heat, np.ones((MAP, MAP), bool))
    np.testing.assert_allclose(centres * MAP, [[5.5, 4.5], [10.5, 10.5]])
