"""Calibration against figures worked out by hand."""

import math
from xml.etree import ElementTree

import pytest
import torch

from dmmi_core.errors import InputError, ModelError
from dmmi_core.evaluation.calibration import THRESHOLDS, expected_calibration_error, fit, fit_temperature
from dmmi_core.visualization.precision_recall import MARGIN, SIDE, precision_recall_svg


def test_expected_calibration_error():
    """Four have 5 %, and one of them a target; six have 95 %, and all of them a target."""
    probability = torch.tensor([0.05] * 4 + [0.95] * 6)
    outcome = torch.tensor([True] + [False] * 3 + [True] * 6)
    expected = 0.4 * abs(0.05 - 0.25) + 0.6 * abs(0.95 - 1)
    assert expected_calibration_error(probability, outcome) == pytest.approx(100 * expected)


def test_there_are_fifteen_bins():
    """0.41 and 0.46 are in the seventh bin, where their errors cancel."""
    probability, outcome = torch.tensor([0.41, 0.46]), torch.tensor([True, False])
    assert expected_calibration_error(probability, outcome) == pytest.approx(100 * (0.5 - 0.435))
    apart = torch.tensor([0.39, 0.46])
    assert expected_calibration_error(apart, outcome) == pytest.approx(100 * (0.61 + 0.46) / 2)


LOGITS = torch.tensor([2.0] * 4 + [-2.0] * 4, dtype=torch.float64)
THREE_OF_FOUR = torch.tensor([True, True, True, False, False, False, False, True])


def test_temperature():
    """Predictions that are right three times of four get the probability 3 / 4, a logit of ln 3."""
    assert fit_temperature(LOGITS, THREE_OF_FOUR) == pytest.approx(2 / math.log(3), rel=1e-4)
    assert fit_temperature(LOGITS / 10, THREE_OF_FOUR) == pytest.approx(0.2 / math.log(3), rel=1e-4)


def test_a_head_that_is_wrong():
    with pytest.raises(ModelError, match="does not tell samples with a target from those without"):
        fit_temperature(-LOGITS, THREE_OF_FOUR)


def logit(*percent: int) -> torch.Tensor:
    return torch.tensor(percent, dtype=torch.float64).div(100).logit()


PROBABILITIES = logit(90, 90, 90, 10, 10, 10, 10, 90, 50, 50)
HAS_TARGET = torch.tensor([1, 1, 1, 0, 0, 0, 1, 0, 1, 0], dtype=torch.bool)
FOUND = torch.ones(10, dtype=torch.bool)


def test_threshold_and_curve():
    """With a target, 3 of 5 are high, 1 is at a half and 1 is low; without one, 1, 1 and 3.

    All thresholds between low and high have the highest mean of N-acc and T-acc; their middle is chosen.
    """
    found = fit(PROBABILITIES, HAS_TARGET, FOUND)
    assert found.temperature == pytest.approx(math.log(9) / math.log(3), rel=1e-4)
    assert found.ece_before == pytest.approx(0.8 * 100 * 0.15)  # 90 and 10 where 75 and 25 are right
    assert found.ece_after == pytest.approx(0, abs=0.01)
    low, high = (next(i for i, t in enumerate(THRESHOLDS) if t > value) for value in (0.26, 0.52))
    assert 0.25 < found.threshold < 0.75
    assert (found.n_acc, found.t_acc) in [(pytest.approx(60), pytest.approx(80)), (80, 60)]
    assert (found.precision[0], found.recall[0]) == (50, 100)
    assert (found.precision[low], found.recall[low]) == (pytest.approx(200 / 3), 80)
    assert (found.precision[high], found.recall[high]) == (75, 60)
    assert (found.precision[-1], found.recall[-1]) == (100, 0)


def test_empty_masks_are_no_answer():
    """A sample without a target and with 90 % is rejected by its empty mask, which adds 20 to N-acc."""
    sums = []
    for found in (FOUND, torch.arange(10) != 7):
        calibration = fit(PROBABILITIES, HAS_TARGET, found)
        sums.append(calibration.n_acc + calibration.t_acc)
    assert sums == pytest.approx([140, 160])


@pytest.mark.parametrize("value", [True, False])
def test_both_are_needed(value):
    with pytest.raises(InputError, match="samples with a target and samples without one"):
        fit(LOGITS, torch.full((8,), value), FOUND[:8])


def test_the_curve_as_svg():
    svg = ElementTree.fromstring(precision_recall_svg([100, 50, 0], [50, 75, 100], 1, "threshold 0.6"))
    space = "{http://www.w3.org/2000/svg}"
    assert svg.find(f"{space}path").get("d") == (
        f"M{MARGIN + SIDE}.0 {MARGIN + SIDE / 2:.1f} L{MARGIN + SIDE / 2:.1f} {MARGIN + SIDE / 4:.1f} "
        f"L{MARGIN}.0 {MARGIN}.0"
    )
    circle = svg.find(f"{space}circle")
    assert (float(circle.get("cx")), float(circle.get("cy"))) == (MARGIN + SIDE / 2, MARGIN + SIDE / 4)
    assert "threshold 0.6" in [text.text for text in svg.iter(f"{space}text")]
