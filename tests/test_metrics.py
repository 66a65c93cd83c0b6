"""Metrics against a computation pixel by pixel, from their definitions."""

import numpy as np
import pytest

from dmmi_core.metrics import Metrics

NAMES = ("oIoU", "mIoU", "Acc", "Prec@0.5", "Prec@0.7", "Prec@0.9", "gIoU", "cIoU", "N-acc", "T-acc")


def overlap(predicted: np.ndarray, target: np.ndarray) -> tuple[int, int]:
    pairs = list(zip(predicted.flatten(), target.flatten(), strict=True))
    return sum(bool(p and t) for p, t in pairs), sum(bool(p or t) for p, t in pairs)


def literal(samples: list[tuple[np.ndarray, np.ndarray, str]]) -> dict[str, float]:
    """For samples of every kind."""
    zero = [predicted for predicted, _, kind in samples if kind == "zero"]
    targeted = [(predicted, target) for predicted, target, kind in samples if kind != "zero"]
    intersections, unions = zip(*(overlap(p, t) for p, t in targeted), strict=True)
    ious = [i / u for i, u in zip(intersections, unions, strict=True)]
    rejected = [1 if not p.any() else 0 for p in zero]
    false_area = sum(int(p.sum()) for p in zero)
    return {
        "oIoU": 100 * sum(intersections) / sum(unions),
        "mIoU": 100 * sum(ious) / len(ious),
        "Acc": 100 * sum(rejected) / len(zero),
        **{f"Prec@{x}": 100 * sum(iou > x for iou in ious) / len(ious) for x in (0.5, 0.7, 0.9)},
        # GRES: a no-target sample counts 1 if nothing was predicted, else 0.
        "gIoU": 100 * (sum(ious) + sum(rejected)) / len(samples),
        "cIoU": 100 * sum(intersections) / (sum(unions) + false_area),
        "N-acc": 100 * sum(rejected) / len(zero),
        "T-acc": 100 * sum(bool(p.any()) for p, _ in targeted) / len(targeted),
    }


def disc(radius: float, centre: float = 8) -> np.ndarray:
    y, x = np.ogrid[:16, :20]
    return (y - 8) ** 2 + (x - centre) ** 2 < radius**2


def compute(samples) -> dict:
    metrics = Metrics()
    for sample in samples:
        metrics.update(*sample)
    return metrics.compute()


EMPTY = disc(0)
SAMPLES = [
    (disc(5), disc(5), "one"),
    (disc(5), disc(5.5), "one"),
    (disc(4), disc(5), "many"),
    (disc(3), disc(6), "many"),
    (disc(3), disc(3, centre=16), "one"),
    (EMPTY, disc(5), "many"),
    (EMPTY, EMPTY, "zero"),
    (disc(2), EMPTY, "zero"),
    (EMPTY, EMPTY, "zero"),
]


def test_all_of_them():
    expected = literal(SAMPLES)
    assert set(expected) == set(NAMES)
    assert len({round(value, 6) for value in expected.values()}) == 9, "only Acc and N-acc are the same"
    actual = compute(SAMPLES)
    assert {name: actual[name] for name in NAMES} == pytest.approx(expected)
    assert [actual[kind] for kind in ("zero", "one", "many")] == [3, 3, 3]


@pytest.mark.parametrize(
    ("samples", "undefined"),
    [
        ([], set(NAMES)),
        (SAMPLES[:6], {"Acc", "N-acc"}),
        (SAMPLES[6:], set(NAMES) - {"Acc", "N-acc", "gIoU", "cIoU"}),
        (SAMPLES[6:7], set(NAMES) - {"Acc", "N-acc", "gIoU"}),
    ],
    ids=["none", "no zero", "only zero", "only rejected"],
)
def test_undefined_ones_are_none(samples, undefined):
    actual = compute(samples)
    assert {name for name in NAMES if actual[name] is None} == undefined


def test_precision_is_of_those_above_the_threshold():
    half = np.zeros((2, 2), bool)
    half[0] = True
    assert compute([(half, np.ones((2, 2), bool), "one")])["Prec@0.5"] == 0
