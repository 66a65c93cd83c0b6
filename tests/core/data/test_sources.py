import json
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.data.refer import read_refer
from dmmi_core.data.samples import KINDS, Sample, write_samples
from dmmi_core.data.sources import held_out_samples, training_samples, training_scenes
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.scenes import read_scenes
from dmmi_core.data.synthesis.validation import validation_samples
from dmmi_core.errors import InputError
from dmmi_core.schema import build
from helpers.miniature import SPLITS, Miniature, write_miniature

SHARE = 3


def recipe(files: Miniature, **values) -> DataRecipe:
    where = {"images": str(files.images), "annotations": str(files.annotations), "refs": str(files.refs)}
    return DataRecipe(**where, **values)


@pytest.fixture
def coco(tmp_path) -> Miniature:
    return write_miniature(tmp_path / "coco", "refcoco", "unc", images_per_split=12)


@pytest.mark.parametrize(("dataset", "split_by"), SPLITS)
def test_every_split_of_every_data_set(tmp_path, dataset, split_by):
    files = write_miniature(tmp_path / "data", dataset, split_by)
    last = SPLITS[dataset, split_by][-1]
    data = recipe(files, validation_split=last)
    assert list(training_samples(data)) == list(read_refer(files.refs, files.annotations, "train"))
    assert list(held_out_samples(data)) == list(read_refer(files.refs, files.annotations, last))
    for split in SPLITS[dataset, split_by]:
        expected = list(read_refer(files.refs, files.annotations, split))
        assert list(held_out_samples(data, split)) == expected
        assert list(training_samples(replace(data, split=split))) == expected


def test_without_a_validation_split_images_are_kept_apart(coco):
    data = recipe(coco, validation_share=SHARE)
    trained, held_out = list(training_samples(data)), list(held_out_samples(data))
    everything = list(read_refer(coco.refs, coco.annotations, "train"))
    assert held_out == [sample for sample in everything if is_validation(sample.image, SHARE)]
    assert trained == [sample for sample in everything if not is_validation(sample.image, SHARE)]
    assert trained and held_out


def test_samples_files(coco, tmp_path):
    everything = list(read_refer(coco.refs, coco.annotations, "train"))
    everything += [Sample(everything[-1].image, "no zebra", "zero", 64, 96, ())] * 2
    write_samples(tmp_path / "samples.jsonl", everything)
    data = DataRecipe(
        images=str(coco.images), samples=str(tmp_path / "samples.jsonl"), validation_share=SHARE
    )
    trained, held_out = training_samples(data), held_out_samples(data)
    assert list(held_out) == [sample for sample in everything if is_validation(sample.image, SHARE)]
    assert list(trained) == [sample for sample in everything if not is_validation(sample.image, SHARE)]
    for samples in (trained, held_out):
        objects = [f"{s.image} {s.segmentations}" if s.segmentations else i for i, s in enumerate(samples)]
        assert samples.groups.tolist() == [list(dict.fromkeys(objects)).index(item) for item in objects]


def test_templates(pictures):
    data = DataRecipe(images=str(pictures.parent), annotations=str(pictures), validation_share=SHARE)
    held_out = [scene for scene in read_scenes(pictures) if is_validation(scene.image, SHARE)]
    samples = held_out_samples(data)
    assert isinstance(samples, PackedSamples) and list(samples) == validation_samples(held_out)
    assert set(Counter(KINDS[kind] for kind in samples.kinds)) == set(KINDS)


def damage(files: Miniature, split: str) -> Path:
    """Deletes an image of the split."""
    refs = pickle.loads(files.refs.read_bytes())
    number = next(ref["image_id"] for ref in refs if ref["split"] == split)
    (path,) = files.images.glob(f"*{number}.jpg")
    path.unlink()
    return path


def test_missing_images_are_left_out_of_all(coco, tmp_path, pictures, caplog):
    data = recipe(coco, validation_split="val")
    lost = damage(coco, "train"), damage(coco, "val")
    for samples, path in zip((training_samples(data), held_out_samples(data)), lost, strict=True):
        assert len(samples.images()) == 11 and path.name not in samples.images()
        assert path.name in caplog.text

    write_samples(tmp_path / "samples.jsonl", read_refer(coco.refs, coco.annotations, "train"))
    listed = DataRecipe(images=data.images, samples=str(tmp_path / "samples.jsonl"), validation_share=SHARE)
    names = {sample.image for read in (training_samples, held_out_samples) for sample in read(listed)}
    assert len(names) == 11 and lost[0].name not in names

    drawn = DataRecipe(images=data.images, annotations=str(pictures), validation_share=SHARE)
    with pytest.raises(InputError, match="images are not in"):
        held_out_samples(drawn)


def test_a_split_that_there_is_not(coco, pictures):
    with pytest.raises(InputError, match="has no split 'test2'; it has: testA, testB, train, val"):
        held_out_samples(recipe(coco), "test2")
    for values in ({"annotations": str(pictures)}, {"samples": "samples.jsonl"}):
        with pytest.raises(InputError, match=r"only data\.refs has splits; there is no split 'testA'"):
            held_out_samples(DataRecipe(images=str(coco.images), **values), "testA")


@pytest.mark.parametrize(
    ("read", "share", "purpose"), [(training_samples, 1, "train"), (held_out_samples, 10**9, "validate")]
)
def test_no_image_is_left(coco, read, share, purpose):
    with pytest.raises(
        InputError, match=f"of 12 images none is left to {purpose} on with data.validation_sh"
    ):
        read(recipe(coco, validation_share=share))


def further_of(pictures, tmp_path) -> Path:
    """A file that completes the pictures, and adds one more dog to each."""
    dogs = [{"id": 900 + i, "image_id": i, "category_id": 1, "bbox": [1, 1, 20, 20]} for i in range(40)]
    path = tmp_path / "further.json"
    path.write_text(json.dumps({"annotations": dogs, "not_covered": [3]}))
    return path


def test_scenes_to_train_on(pictures, tmp_path):
    further = further_of(pictures, tmp_path)
    values = {
        "images": str(pictures.parent),
        "annotations": [str(pictures), str(further)],
        "validation_share": SHARE,
        "extra": [{"images": "elsewhere", "annotations": str(pictures)}],
    }
    data = build(DataRecipe, values)
    scenes = training_scenes(data)
    plain = [scene for scene in read_scenes(pictures) if not is_validation(scene.image, SHARE)]
    assert [scene.image for scene in scenes[: len(plain)]] == [scene.image for scene in plain]
    assert all((1, 1, 20, 20) in [item.box for item in scene.objects] for scene in scenes[: len(plain)])
    others = scenes[len(plain) :]
    assert [scene.image for scene in others] == [str(Path("elsewhere").absolute() / s.image) for s in plain]
    assert [len(scene.objects) for scene in others] == [len(scene.objects) for scene in plain]


def test_validation_is_on_the_first_file_alone(pictures, tmp_path):
    where = {"images": str(pictures.parent), "validation_share": SHARE}
    alone = DataRecipe(annotations=str(pictures), **where)
    more = DataRecipe(annotations=(str(pictures), str(further_of(pictures, tmp_path))), **where)
    assert list(held_out_samples(more)) == list(held_out_samples(alone))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"annotations": ("a", "b"), "refs": "refs.p"}, "single file of data.annotations"),
        ({"samples": "a.jsonl", "extra": ({},)}, "data.extra is for templates"),
        ({"annotations": "a", "mask_quality": 1.5}, "mask_quality is 1.5"),
    ],
)
def test_mistaken_recipes(values, message):
    with pytest.raises(InputError, match=message):
        DataRecipe(images="images", **values)
