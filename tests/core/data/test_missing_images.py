import logging

import numpy as np
import pytest

from dmmi_core.data.missing_images import without_missing_images
from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.data.samples import Sample
from dmmi_core.errors import InputError

TRAIN, VAL = "COCO_train2014_00000000000{}.jpg", "COCO_val2014_00000000000{}.jpg"


def pack(*names: str) -> PackedSamples:
    return PackedSamples.pack((i, Sample(name, str(i), "zero", 4, 5, ())) for i, name in enumerate(names))


def put(folder, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()


def test_nothing_is_said_where_nothing_lacks(tmp_path, caplog):
    put(tmp_path, "a.jpg", "b.jpg", "other.jpg")
    samples = pack("a.jpg", "b.jpg", "a.jpg")
    assert list(without_missing_images(samples, tmp_path)) == list(samples)
    assert not caplog.records


def test_missing_images_are_left_out_and_counted_once(tmp_path, caplog):
    there, lost = [TRAIN.format(i) for i in range(2)], [TRAIN.format(i) for i in range(2, 7)]
    put(tmp_path, *there)
    left = without_missing_images(pack(there[0], lost[0], lost[0], *lost, there[1]), tmp_path)
    assert [sample.text for sample in left] == ["0", "8"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"7 of 9 samples are left out: 5 of 7 images are not in {tmp_path}, such as "
        f"{lost[0]}, {lost[1]}, {lost[2]}; put the files of COCO's train2014 there"
    )


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        ([VAL.format(1)], "put the files of COCO's val2014 there"),
        ([VAL.format(1), TRAIN.format(2)], "put the files of COCO's train2014 and val2014 there"),
        (["b.jpg"], "put them there, or name the folder that has them"),
    ],
)
def test_what_to_do(tmp_path, caplog, names, remedy):
    put(tmp_path, "a.jpg")
    without_missing_images(pack("a.jpg", *names), tmp_path)
    assert caplog.messages[0].endswith(remedy)


def test_names_with_folders(tmp_path):
    put(tmp_path, "one/a.jpg", "two/b.jpg", "a.jpg")
    samples = pack("one/a.jpg", "one/b.jpg", "two/b.jpg", "a.jpg", "three/a.jpg")
    assert [sample.image for sample in without_missing_images(samples, tmp_path)] == [
        "one/a.jpg",
        "two/b.jpg",
        "a.jpg",
    ]


def test_groups_of_what_is_left_have_no_gaps(tmp_path):
    put(tmp_path, "b.jpg", "c.jpg")
    left = without_missing_images(pack("a.jpg", "b.jpg", "a.jpg", "c.jpg"), tmp_path)
    assert np.array_equal(left.groups, [0, 1])


def test_nothing_is_left(tmp_path):
    with pytest.raises(InputError, match=r"^1 of 1 images are not in .*, such as a\.jpg; put them there"):
        without_missing_images(pack("a.jpg"), tmp_path)


def test_no_folder(tmp_path):
    put(tmp_path, "file")
    for name in ("nowhere", "file"):
        with pytest.raises(InputError, match=f"there is no folder of images .*{name}"):
            without_missing_images(pack("a.jpg"), tmp_path / name)
