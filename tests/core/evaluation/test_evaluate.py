"""Evaluation on images with known results: scores, batches and the split over processes."""

from typing import Any

import cv2
import numpy as np
import pytest

from dmmi_core.data.samples import Sample, encode_mask
from dmmi_core.errors import InputError
from dmmi_core.evaluation import evaluate as evaluation
from dmmi_core.evaluation.evaluate import evaluate, local_range
from dmmi_core.evaluation.metrics import ReferringSegmentation
from dmmi_core.instances.grouping import group_instances
from dmmi_core.result import Result, Status
from dmmi_core.segmenter import Segmenter
from helpers.tiny import ABSENT, PRESENT
from helpers.tiny import RedFinder as RedNetwork


class RedSegmenter:
    """Segmenter that finds red pixels, unless the text names a zebra."""

    device = "cpu"

    def __init__(self):
        self.batches = []

    def batch(self, images, texts):
        self.batches.append(texts)
        masks = [(image[..., 0] > 200) & (text != "zebra") for image, text in zip(images, texts, strict=True)]
        return [_result(text, mask) for text, mask in zip(texts, masks, strict=True)]


def _result(text: str, mask: np.ndarray) -> Result:
    instances = group_instances(mask.astype(np.float32), 0.5, 1)
    return Result(text, Status.of_count(len(instances)), 1, 0.5, mask, instances, "")


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


@pytest.fixture
def reads(monkeypatch):
    """Record the name of each image file that is read."""
    names, read_annotated_image = [], evaluation.read_annotated_image

    def read(path, *size):
        names.append(path.name)
        return read_annotated_image(path, *size)

    monkeypatch.setattr(evaluation, "read_annotated_image", read)
    return names


@pytest.mark.parametrize("batch_size", [1, 2, 3, 99])
def test_scores_are_those_of_the_metrics(folder, reads, batch_size):
    segmenter, predictions, expected = RedSegmenter(), [], ReferringSegmentation()
    scores = evaluate(segmenter, SAMPLES, folder, batch_size=batch_size, on_prediction=predictions.append)
    found = np.zeros_like(MASK)
    found[2:8, 4:9] = True
    for item in SAMPLES:
        expected.update(found & (item.text != "zebra"), item.mask(), item.kind)
    assert {name: scores[name] for name in expected.compute() if name != "by_kind"} == {
        name: value for name, value in expected.compute().items() if name != "by_kind"
    }
    # Found: one instance for "dog" and one for "cat", each 5 / 8 of the one object; none for "zebra".
    assert (scores["instance_P"], scores["instance_R"]) == (100, pytest.approx(200 / 3))
    assert scores["by_kind"]["one"]["instance_R"] == 50 and scores["by_kind"]["one"]["mIoU"] == 31.25
    assert scores["Prec@0.5"] == pytest.approx(200 / 3) and scores["Acc"] == 50
    assert [item.example.index for item in predictions] == [0, 1, 2, 3, 4]
    assert [item.iou for item in predictions] == [5 / 8, 1, 5 / 8, 0, 0]
    texts = [item.text for item in SAMPLES]
    assert segmenter.batches == [texts[i : i + batch_size] for i in range(0, 5, batch_size)]
    assert sorted(reads) == ["a.png", "b.png"], "each image is read once"


class Indexed:
    """Samples with a length and an index, and no other method."""

    def __len__(self):
        return len(SAMPLES)

    def __getitem__(self, index: int):
        assert isinstance(index, int)
        return SAMPLES[index]


def test_samples_need_not_be_a_list(folder):
    assert evaluate(RedSegmenter(), Indexed(), folder) == evaluate(RedSegmenter(), SAMPLES, folder)


@pytest.mark.filterwarnings("error")
def test_no_samples(folder):
    scores = evaluate(RedSegmenter(), [], folder)
    assert (scores["gIoU"], scores["oIoU"], scores["one"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (sample("nowhere.png", "dog"), "no such image file: .*nowhere.png"),
        (Sample("a.png", "dog", "zero", 30, 20, ()), "a.png is 30 x 20, but its annotation says 20 x 30"),
    ],
)
def test_images_that_do_not_fit(folder, item, message):
    with pytest.raises(InputError, match=message):
        evaluate(RedSegmenter(), [item], folder)


def test_samples_that_cannot_be_used_are_left_out_and_counted(folder, caplog):
    (folder / "c.png").write_bytes(b"damaged")
    damaged = Sample("a.png", "dog", "one", 20, 30, ({"size": [20, 30], "counts": "PPPP"},))
    bad = [sample("c.png", "dog"), damaged, sample("nowhere.png", "dog"), sample("c.png", "cat")]
    expected = evaluate(RedSegmenter(), SAMPLES, folder)
    assert not caplog.records
    assert evaluate(RedSegmenter(), [*bad[:3], *SAMPLES, *bad[3:]], folder) == expected
    (record,) = caplog.records
    assert record.getMessage() == (
        f"4 of 9 samples cannot be used: not an image that can be read: {folder / 'c.png'}; "
        f"a.png, 'dog': the RLE of a segmentation is damaged; no such image file: {folder / 'nowhere.png'}; "
        "...; left out"
    )


def test_unknown_protocols(folder):
    with pytest.raises(InputError, match="protocol is 'paper'; it must be one of native, released"):
        evaluate(RedSegmenter(), SAMPLES, folder, protocol="paper")


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 581])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_share_whole_batches(monkeypatch, count, processes):
    parts = []
    monkeypatch.setattr(evaluation, "world_size", lambda: processes)
    for rank in range(processes):
        monkeypatch.setattr(evaluation, "rank", lambda rank=rank: rank)
        parts.append(local_range(count, 4))
    assert [index for part in parts for index in part] == list(range(count)), "each once, none twice"
    assert all(part.start % 4 == 0 for part in parts if part)
    assert max(map(len, parts)) - min(map(len, parts)) <= 4 + 3, (
        "within a batch, and the last one may be short"
    )


SIDE = RedNetwork.SIDE


def write_image(folder, shape: tuple[int, int], box: tuple) -> np.ndarray:
    """Write an image with a red box, and return the mask of the box."""
    mask = np.zeros(shape, bool)
    mask[box] = True
    cv2.imwrite(str(folder / "wide.png"), mask[..., None] * np.array([0, 0, 255], np.uint8))
    return mask


def score(tokenizer, folder, shape, masks: list[np.ndarray | None], text: str, **options) -> dict[str, Any]:
    """Score one sample for each mask; None stands for a zero sample."""
    samples = [
        Sample("wide.png", text, "one" if mask is not None else "zero", shape[0], shape[1], segmentations)
        for mask in masks
        for segmentations in [() if mask is None else (encode_mask(mask),)]
    ]
    segmenter = Segmenter.of_network(RedNetwork(), tokenizer, device="cpu")
    return evaluate(segmenter, samples, folder, **options)


def test_released_protocol_is_at_the_size_of_the_network(tokenizer, folder):
    """128 x 256 pixels, 64 x 64 of the network. The box is found exactly there; the truth is a box of 3 x 5
    pixels more, whose rows and columns the nearest of 2 and of 4 keeps in part."""
    shape = (2 * SIDE, 4 * SIDE)
    write_image(folder, shape, np.s_[32:64, 64:128])
    truth = np.zeros(shape, bool)
    truth[32:67, 64:133] = True
    scores = score(tokenizer, folder, shape, [truth], PRESENT, protocol="released")
    rows = [row for row in range(SIDE) if truth[2 * row + 1].any()]
    columns = [column for column in range(SIDE) if truth[:, 4 * column + 2].any()]
    assert (len(rows), len(columns)) == (17, 17)
    assert scores["oIoU"] == pytest.approx(100 * 16 * 16 / (17 * 17))
    native = score(tokenizer, folder, shape, [truth], PRESENT)
    assert native["oIoU"] == pytest.approx(100 * 32 * 64 / (35 * 69), rel=0.02)
    assert native["oIoU"] != pytest.approx(scores["oIoU"], rel=0.01)


@pytest.mark.parametrize("protocol", ["native", "released"])
def test_every_foreground_pixel_counts(tokenizer, folder, protocol):
    """Acc is 1 only if all points are background (5.2), and IoU has what grouping leaves out."""
    shape = (SIDE, SIDE)
    mask = write_image(folder, shape, np.s_[8:10, 8:12])  # fewer pixels than min_area
    scores = score(tokenizer, folder, shape, [mask, None], PRESENT, protocol=protocol)
    assert (scores["oIoU"], scores["Acc"]) == (100, 0)
    found = {"native": 0, "released": None}  # no instance of so few pixels
    assert scores["instance_R"] == found[protocol]


def test_released_protocol_heeds_no_presence(tokenizer, folder):
    shape = (SIDE, SIDE)
    mask = write_image(folder, shape, np.s_[8:10, 8:12])
    released = score(tokenizer, folder, shape, [mask, None], ABSENT, protocol="released")
    assert (released["oIoU"], released["Acc"]) == (100, 0)
    native = score(tokenizer, folder, shape, [mask, None], ABSENT)
    assert (native["oIoU"], native["Acc"]) == (0, 100)


def test_released_protocol_counts_what_reaches_a_threshold(tokenizer, folder):
    shape = (SIDE, SIDE)
    write_image(folder, shape, np.s_[10:20, 10:20])
    truth = np.zeros(shape, bool)
    truth[10:20, 10:30] = True  # twice of what is found
    released = score(tokenizer, folder, shape, [truth], PRESENT, protocol="released")
    precision = {name: value for name, value in released.items() if name.startswith("Prec")}
    assert precision == {"Prec@0.5": 100, "Prec@0.6": 0, "Prec@0.7": 0, "Prec@0.8": 0, "Prec@0.9": 0}
    assert score(tokenizer, folder, shape, [truth], PRESENT)["Prec@0.5"] == 0
