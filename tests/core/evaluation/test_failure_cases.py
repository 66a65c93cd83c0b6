"""The page of the worst predictions: its selection, its order and its pictures."""

import base64
import re
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dmmi_core.data.samples import Sample, encode_mask
from dmmi_core.errors import InputError
from dmmi_core.evaluation.evaluate import Example, Prediction
from dmmi_core.evaluation.failure_cases import FailureCases
from dmmi_core.evaluation.metrics import ReferringSegmentation
from dmmi_core.evaluation.side_by_side import PREDICTED_COLOUR, TARGET_COLOUR
from dmmi_core.visualization.html import LONG_SIDE
from dmmi_core.visualization.overlay import TINT

GREY = 128
NO_PREDICTIONS = pytest.mark.filterwarnings("ignore:The ``compute`` method")


def prediction(
    index: int,
    tenths: int,
    kind: str = "one",
    text: str = "",
    size: tuple[int, int] = (20, 40),
    **changes: Any,
) -> Prediction:
    """Make a prediction of so many tenths of the target, the left half; a zero sample has no target."""
    height, width = size
    target, predicted = np.zeros(size, bool), np.zeros(size, bool)
    target[:, : width // 2] = kind != "zero"
    predicted[:, : width * tenths // 20] = True
    segmentations = () if kind == "zero" else (encode_mask(target),)
    sample = Sample(f"{index}.jpg", text or f"text {index}", kind, height, width, segmentations)
    example = Example(index, sample, np.full((*size, 3), GREY, np.uint8), target)
    return replace(Prediction(example, target, predicted, presence=0.25), **changes)


def page(tmp_path, predictions: list[Prediction], size: int = 99) -> str:
    failures, metrics = FailureCases(size), ReferringSegmentation()
    for item in predictions:
        failures.add(item)
        metrics.update(item.predicted, item.target, item.example.sample.kind)
    failures.gather()
    failures.write(tmp_path / "page.html", "model <1>", metrics.compute())
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def texts(html: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", html)


def pictures(html: str) -> list[np.ndarray]:
    """Decode the pictures of the page, RGB."""
    found = re.findall('src="data:image/jpeg;base64,(.*?)"', html)
    data = (np.frombuffer(base64.b64decode(item), np.uint8) for item in found)
    return [np.asarray(cv2.imdecode(item, cv2.IMREAD_COLOR_RGB)) for item in data]


# index, tenths, kind: the IoU is 0.3, 0.9, 0 (wrongly found), 0.3, 1 (rightly empty), 0 (missed), 0.5
PREDICTIONS = [(0, 3), (1, 9), (2, 3, "zero"), (3, 3, "many"), (4, 0, "zero"), (5, 0), (6, 5)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 99])
def test_the_worst_come_first_and_equals_in_their_order(tmp_path, size):
    worst = [f"text {index}" for index in (2, 5, 0, 3, 6, 1, 4)]
    for order in (PREDICTIONS, PREDICTIONS[::-1]):
        assert texts(page(tmp_path, [prediction(*item) for item in order], size)) == worst[:size]


def test_what_is_told_of_a_prediction(tmp_path):
    html = page(
        tmp_path,
        [prediction(3, 3, "many", "<script>two & two</script>"), prediction(4, 3, "zero", presence=None)],
    )
    assert texts(html) == ["text 4", "&lt;script&gt;two &amp; two&lt;/script&gt;"]
    assert "<p>IoU 0.0 % · zero · 4.jpg</p>" in html
    assert "<p>IoU 30.0 % · many · presence 0.25 · 3.jpg</p>" in html
    assert "<title>model &lt;1&gt;</title>" in html
    assert "<tr><td>zero</td><td>1</td><td>-</td>" in html


def test_pictures(tmp_path):
    """The image, the target on its left half, and the prediction on the left quarter."""
    image, target, predicted = pictures(page(tmp_path, [prediction(0, 5, size=(100, 200))]))
    assert image.shape == target.shape == predicted.shape == (100, 200, 3)
    assert np.abs(image.astype(int) - GREY).max() <= 2
    for picture, edge, colour in ((target, 100, TARGET_COLOUR), (predicted, 50, PREDICTED_COLOUR)):
        inside, outside = picture[16:-16, 16 : edge - 16].astype(int), picture[:, edge + 16 :].astype(int)
        assert np.abs(outside - GREY).max() <= 8
        tinted = GREY * (1 - TINT) + np.array(colour) * TINT
        assert np.abs(inside - tinted).max() <= 4


def test_masks_may_have_another_size_than_the_image(tmp_path):
    """The masks of the released protocol have the size of the network."""
    small = np.zeros((16, 16), bool)
    small[:, :8] = True
    _, target, _ = pictures(
        page(tmp_path, [prediction(0, 5, size=(100, 200), target=small, predicted=~small)])
    )
    assert target.shape == (100, 200, 3)
    assert np.abs(target[:, 110:].astype(int) - GREY).max() <= 8 and (target[8:-8, 8:92, 0] < GREY - 20).all()


@pytest.mark.parametrize("size", [(2000, 1000), (300, 1200), (1, 3000)])
def test_pictures_are_not_large(tmp_path, size):
    for picture in pictures(page(tmp_path, [prediction(0, 5, size=size)])):
        assert max(picture.shape) == LONG_SIDE
        assert picture.shape[0] / picture.shape[1] == pytest.approx(size[0] / size[1], abs=1 / LONG_SIDE)


def test_nothing_outside_the_page_is_asked_for(tmp_path):
    html = page(tmp_path, [prediction(*item) for item in PREDICTIONS])
    assert len(pictures(html)) == html.count("<img") == 3 * len(PREDICTIONS)
    assert "http" not in html and "url(" not in html and "<script" not in html


@NO_PREDICTIONS
def test_no_predictions(tmp_path):
    failures = FailureCases(3)
    failures.gather()
    failures.write(tmp_path / "page.html", "", ReferringSegmentation().compute())
    assert texts((tmp_path / "page.html").read_text()) == []


@NO_PREDICTIONS
def test_a_page_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*nowhere.page.html: No such file"):
        FailureCases(1).write(tmp_path / "nowhere" / "page.html", "", ReferringSegmentation().compute())
