"""Samples of a dataset with files that cannot be used."""

import numpy as np
import pytest
from PIL import Image

from dmmi_core.data.dataset import SampleDataset
from dmmi_core.data.packed_samples import PackedSamples, grouped_by_objects
from dmmi_core.data.sampler import TrainingSampler
from dmmi_core.data.samples import Sample
from dmmi_core.errors import InputError

SIZE = 32
LEFT = [[0.0, 0.0, 16.0, 0.0, 16.0, 32.0, 0.0, 32.0]]


def write(path, pixels: np.ndarray, orientation: int = 1) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, quality=100, exif=exif)


def make(folder, samples: list[Sample], bad_share: float = 0.1) -> SampleDataset:
    packed = PackedSamples.pack(grouped_by_objects(samples))
    sampler = TrainingSampler(packed.kinds, packed.groups, 0, balanced=False, draw_sentence=False)
    return SampleDataset(packed, folder, SIZE, sampler, antialias=False, bad_share=bad_share)


def test_the_target_lies_on_the_stored_pixels_of_a_turned_photograph(tmp_path):
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:, :16] = 255
    write(tmp_path / "a.jpg", pixels, orientation=6)
    image, target, *_ = make(tmp_path, [Sample("a.jpg", "it", "one", 32, 48, (LEFT,))])[0]
    assert ((image[..., 0] > 128) == (target.labels == 1)).mean() > 0.95


@pytest.fixture
def samples(tmp_path) -> list[Sample]:
    """Ten samples of ten images, of which one is damaged."""
    samples = []
    for number in range(10):
        write(tmp_path / f"{number}.jpg", np.full((32, 48, 3), 20 * number, np.uint8))
        kind = "zero" if number % 2 else "one"
        outlines = () if kind == "zero" else (LEFT,)
        samples.append(Sample(f"{number}.jpg", str(number), kind, 32, 48, outlines))
    (tmp_path / "4.jpg").write_bytes(b"damaged")
    return samples


def texts(dataset: SampleDataset, count: int) -> list[str]:
    return [dataset[position][2] for position in range(count)]


def test_another_sample_of_the_kind_stands_in_for_a_damaged_image(tmp_path, samples, caplog):
    dataset = make(tmp_path, samples)
    drawn = [str(dataset.sampler(position)) for position in range(20)]
    assert texts(dataset, 20) == ["6" if text == "4" else text for text in drawn]
    (record,) = caplog.records
    assert record.getMessage() == f"not an image that can be read: {tmp_path / '4.jpg'}; left out"


@pytest.mark.parametrize("damage", [{"counts": "PPPP", "size": [32, 48]}, LEFT], ids=["RLE", "size"])
def test_other_damage_is_left_out_too(tmp_path, samples, damage):
    samples[6] = Sample("6.jpg", "6", "one", 32, 48, (damage,))
    if damage is LEFT:
        write(tmp_path / "6.jpg", np.zeros((30, 48, 3), np.uint8))
    drawn = texts(make(tmp_path, samples, bad_share=0.2), 20)
    assert not {"4", "6"} & set(drawn) and set(drawn) == set("01235789")


def test_too_many_damaged_images(tmp_path, samples):
    for number in (5, 6):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="more images cannot be used than data"):
        texts(make(tmp_path, samples), 20)
