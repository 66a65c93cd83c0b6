"""Instance F1 against counts made by hand."""

from typing import Any

import numpy as np
import pytest

from dmmi_core.evaluation.instance_metrics import InstanceDetection, matches


def box(left: int, right: int) -> np.ndarray:
    """Return a mask of full columns of 4 x 40 pixels, so that an IoU is a ratio of widths."""
    mask = np.zeros((4, 40), bool)
    mask[:, left:right] = True
    return mask


@pytest.mark.parametrize(
    ("predicted", "target", "count"),
    [
        ([], [], 0),
        ([box(0, 10)], [], 0),
        ([], [box(0, 10)], 0),
        ([box(0, 10)], [box(0, 10)], 1),
        ([box(0, 5)], [box(0, 10)], 1),  # exactly a half
        ([box(0, 9)], [box(0, 20)], 0),
        ([box(0, 5), box(5, 10)], [box(0, 10)], 1),  # both are a half of it
        ([box(0, 20)], [box(0, 10), box(10, 20)], 1),  # it is a half of both
        ([box(0, 10), box(10, 20)], [box(9, 20), box(0, 11)], 2),  # in another order
        ([box(0, 6), box(6, 20)], [box(0, 10), box(4, 20)], 2),  # objects that overlap
        ([box(0, 10)], [box(0, 10), box(0, 11)], 1),
        ([box(0, 0)], [box(0, 0)], 0),
    ],
)
def test_matches(predicted, target, count):
    assert matches(predicted, target) == count


SAMPLES = [
    ([box(0, 10)], [box(0, 10)], "one"),
    ([box(0, 10), box(20, 22)], [box(0, 12)], "one"),
    ([box(0, 20), box(30, 40)], [box(0, 10), box(10, 20), box(30, 40)], "many"),
    ([], [box(0, 10), box(10, 20)], "many"),
    ([box(0, 10)], [], "zero"),
]


def compute(samples) -> dict:
    detection = InstanceDetection()
    for sample in samples:
        detection.update(*sample)
    return detection.compute()


def expected(matched: int, predicted: int, present: int) -> Any:
    precision, recall = matched / predicted, matched / present
    f1 = 2 * precision * recall / (precision + recall)
    return pytest.approx({"instance_P": 100 * precision, "instance_R": 100 * recall, "instance_F1": 100 * f1})


def test_scores():
    scores = compute(SAMPLES)
    by_kind = scores.pop("by_kind")
    assert scores == expected(4, 5, 7)
    assert by_kind == {"zero": {}, "one": expected(2, 3, 2), "many": expected(2, 2, 5)}


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_undefined_ones_are_none():
    nothing = {"zero": {}, "one": {}, "many": {}}
    for samples in ([], SAMPLES[4:]):
        assert compute(samples) == dict.fromkeys(("instance_P", "instance_R", "instance_F1")) | {
            "by_kind": nothing
        }
    missed = compute(SAMPLES[3:4])
    assert (missed["instance_P"], missed["instance_R"], missed["instance_F1"]) == (None, 0, 0)


def test_states_of_processes_add_up():
    """torchmetrics gathers the states; here those of a second process that had the last three samples."""
    mine, other = InstanceDetection(), InstanceDetection()
    for detection, part in ((mine, SAMPLES[:2]), (other, SAMPLES[2:])):
        for sample in part:
            detection.update(*sample)
    states = iter(other.metric_state.values())
    mine.dist_sync_fn = lambda state, group=None: [state, next(states)]
    mine.distributed_available_fn = lambda: True
    assert mine.compute() == compute(SAMPLES)
