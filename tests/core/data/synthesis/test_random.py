import numpy as np

from dmmi_core.data.synthesis.random import pick, shuffled


def test_every_option_is_drawn_alike():
    drawn = [pick(np.random.default_rng(seed), "abc") for seed in range(600)]
    assert all(150 < drawn.count(option) < 250 for option in "abc")


def test_what_has_more_weight_comes_first_more_often():
    orders = [shuffled({"a": 3, "b": 1}, np.random.default_rng(seed)) for seed in range(800)]
    assert all(sorted(order) == ["a", "b"] for order in orders)
    assert 540 < sum(order[0] == "a" for order in orders) < 660
