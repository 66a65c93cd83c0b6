import cv2
import numpy as np
import pytest

from dmmi_core.data.samples import Sample, encode_mask
from dmmi_core.errors import InputError
from dmmi_core.evaluation import evaluate
from dmmi_core.metrics import Metrics
from dmmi_core.result import Result, Status


class RedFinder:
    """In place of a segmenter: finds red, unless it is asked for a zebra."""

    def __init__(self):
        self.batches = []

    def batch(self, images, texts):
        self.batches.append(texts)
        masks = [(image[..., 0] > 200) & (text != "zebra") for image, text in zip(images, texts, strict=True)]
        return [
            Result(text, Status.ONE, 1, 0.5, mask, (), "") for text, mask in zip(texts, masks, strict=True)
        ]


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png"):
        image = np.zeros((20, 30, 3), np.uint8)
        image[2:8, 4:9, 2] = 255  # OpenCV writes BGR
        cv2.imwrite(str(tmp_path / name), image)
    return tmp_path


MASK = np.zeros((20, 30), bool)
MASK[2:8, 4:12] = True


def sample(image: str, text: str, kind: str = "one") -> Sample:
    return Sample(image, text, kind, 20, 30, () if kind == "zero" else (encode_mask(MASK),))


SAMPLES = [
    sample("a.png", "dog"),
    sample("a.png", "zebra", "zero"),
    sample("b.png", "cat", "many"),
    sample("b.png", "cup", "zero"),
    sample("b.png", "zebra"),
]


def test_scores_are_those_of_the_metrics(folder):
    finder, done, expected = RedFinder(), [], Metrics()
    scores = evaluate(finder, SAMPLES, folder, on_progress=done.append)
    found = np.zeros_like(MASK)
    found[2:8, 4:9] = True
    for item in SAMPLES:
        expected.update(found & (item.text != "zebra"), item.mask(), item.kind)
    assert scores == expected.compute()
    assert scores["Prec@0.5"] == pytest.approx(200 / 3) and scores["Acc"] == 50
    assert done == [2, 5]
    assert finder.batches == [["dog", "zebra"], ["cat", "cup", "zebra"]], "a photograph is read once"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (sample("nowhere.png", "dog"), "no such image file: .*nowhere.png"),
        (Sample("a.png", "dog", "zero", 30, 20, ()), "a.png is 30 x 20, but its sample says 20 x 30"),
    ],
)
def test_images_that_do_not_fit(folder, item, message):
    with pytest.raises(InputError, match=message):
        evaluate(RedFinder(), [item], folder)
