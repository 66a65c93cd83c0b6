"""Metrics against a computation pixel by pixel, from their definitions."""

import operator

import numpy as np
import pytest
import torch

from dmmi_core.evaluation.metrics import ReferringSegmentation, table

NAMES = ("oIoU", "mIoU", "Acc", "Prec@0.5", "Prec@0.7", "Prec@0.9", "gIoU", "cIoU", "N-acc", "T-acc")


def overlap(predicted: np.ndarray, target: np.ndarray) -> tuple[int, int]:
    pairs = list(zip(predicted.flatten(), target.flatten(), strict=True))
    return sum(bool(p and t) for p, t in pairs), sum(bool(p or t) for p, t in pairs)


def literal(samples: list[tuple[np.ndarray, np.ndarray, str]]) -> dict[str, float]:
    """Compute all scores of samples of every kind."""
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


def compute(samples, *options) -> dict:
    metrics = ReferringSegmentation(*options)
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


def test_of_each_kind():
    """Scores of a kind depend on the samples of that kind only."""
    by_kind = compute(SAMPLES)["by_kind"]
    for kind in ("one", "many"):
        own = literal([sample for sample in SAMPLES if sample[2] in (kind, "zero")])
        for name in ("oIoU", "mIoU", "Prec@0.5", "Prec@0.7", "Prec@0.9", "T-acc"):
            assert by_kind[kind][name] == pytest.approx(own[name])
        assert by_kind[kind]["gIoU"] == by_kind[kind]["mIoU"]
        assert by_kind[kind].keys() == set(NAMES) - {"Acc", "N-acc"}
    assert by_kind["zero"] == pytest.approx({"Acc": 200 / 3, "N-acc": 200 / 3, "gIoU": 200 / 3, "cIoU": 0})


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
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_undefined_ones_are_none(samples, undefined):
    actual = compute(samples)
    assert {name for name in NAMES if actual[name] is None} == undefined
    assert not any("nan" in cell for row in table(actual) for cell in row)


# 5 of 10, 7 of 10 and 9 of 10 pixels: the IoU is each threshold exactly.
TARGET = np.ones((2, 5), bool)
TENTHS = [(np.arange(10).reshape(2, 5) < count, TARGET, "one") for count in (5, 7, 9)]


@pytest.mark.parametrize(
    ("exceeds", "expected"), [(operator.gt, [200 / 3, 100 / 3, 0]), (operator.ge, [100, 200 / 3, 100 / 3])]
)
def test_exactly_at_the_threshold(exceeds, expected):
    scores = compute(TENTHS, (0.5, 0.7, 0.9), exceeds)
    assert [scores[f"Prec@{x}"] for x in (0.5, 0.7, 0.9)] == pytest.approx(expected)


def test_thresholds_are_those_asked_for():
    scores = compute(TENTHS, (0.6, 0.8))
    assert [name for name in scores if name.startswith("Prec")] == ["Prec@0.6", "Prec@0.8"]
    assert (scores["Prec@0.6"], scores["Prec@0.8"]) == pytest.approx((200 / 3, 100 / 3))


def test_a_target_of_no_pixel_counts_as_missed():
    """Polygons thinner than a pixel leave an empty mask."""
    scores = compute([(EMPTY, EMPTY, "one"), (disc(5), disc(5), "one")])
    assert (scores["mIoU"], scores["oIoU"], scores["T-acc"], scores["gIoU"]) == (50, 100, 50, 50)


def test_tensors_are_as_arrays():
    tensors = [(torch.from_numpy(p), torch.from_numpy(t), kind) for p, t, kind in SAMPLES]
    assert compute(tensors) == compute(SAMPLES)


def test_states_of_processes_add_up():
    """torchmetrics gathers the states; here those of a second process that had the last four samples."""
    mine, other = ReferringSegmentation(), ReferringSegmentation()
    for metric, part in ((mine, SAMPLES[:5]), (other, SAMPLES[5:])):
        for sample in part:
            metric.update(*sample)
    states = iter(other.metric_state.values())
    mine.dist_sync_fn = lambda state, group=None: [state, next(states)]
    mine.distributed_available_fn = lambda: True
    together, expected = mine.compute(), compute(SAMPLES)
    assert together.pop("by_kind")["many"] == pytest.approx(expected.pop("by_kind")["many"])
    assert together == pytest.approx(expected)


def test_table():
    rows = table(compute(SAMPLES[:1] + SAMPLES[6:8]))
    titles = ["", "samples", *NAMES]
    assert rows[0] == titles
    assert [row[:2] for row in rows[1:]] == [["all", "3"], ["one", "1"], ["many", "0"], ["zero", "2"]]
    by_title = {row[0]: dict(zip(titles, row, strict=True)) for row in rows[1:]}
    assert by_title["all"]["gIoU"] == "66.67" and by_title["all"]["Acc"] == "50.00"
    assert by_title["one"]["mIoU"] == "100.00" and by_title["one"]["Acc"] == "-"
    assert set(list(by_title["many"].values())[2:]) == {"-"}
    assert by_title["zero"]["Acc"] == "50.00" and by_title["zero"]["oIoU"] == "-"
