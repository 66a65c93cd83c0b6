import json
import logging
import pickle

import numpy as np
import pytest

from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.data.refer import in_split, read_refer
from dmmi_core.data.samples import KINDS, encode_mask, read_image
from dmmi_core.errors import InputError
from helpers.miniature import SPLITS, Miniature, write_miniature
from helpers.pictures import look
from helpers.reader import understand


@pytest.fixture
def zom(tmp_path) -> Miniature:
    return write_miniature(tmp_path / "zom", "ref-zom", "final")


@pytest.fixture
def coco(tmp_path) -> Miniature:
    return write_miniature(tmp_path / "coco", "refcoco", "unc")


@pytest.mark.parametrize(("dataset", "split_by"), SPLITS)
def test_every_sentence_of_every_data_set_has_the_mask_that_it_means(tmp_path, dataset, split_by):
    files = write_miniature(tmp_path / "data", dataset, split_by)
    refs = files.read_refs()
    for split in SPLITS[dataset, split_by]:
        samples = read_refer(files.refs, files.annotations, split)
        wanted = [ref for ref in refs if ref["split"] == split]
        assert [s.text for s in samples] == [x["raw"] for ref in wanted for x in ref["sentences"]]
        groups = [number for number, ref in enumerate(wanted) for _ in ref["sentences"]]
        assert samples.groups.tolist() == groups
        for sample, kind in zip(samples, samples.kinds, strict=True):
            image = read_image(files.images / sample.image)
            assert image.shape[:2] == (sample.height, sample.width)
            meant = understand(sample.text.lower(), look(image))
            assert KINDS[kind] == sample.kind == KINDS[min(len(meant), 2)]
            expected = np.any([np.zeros(image.shape[:2], bool), *(item.mask for item in meant)], axis=0)
            assert np.array_equal(sample.mask(), expected), sample.text
    assert samples.images() == list(dict.fromkeys(sample.image for sample in samples))


def test_ref_zom_has_all_kinds_and_images_of_both_folders(zom):
    samples = read_refer(zom.refs, zom.annotations, "train")
    assert {KINDS[kind] for kind in samples.kinds} == set(KINDS)
    assert {name.split("_")[1] for name in samples.images()} == {"train2014", "val2014"}


def test_grefcoco_has_all_kinds(tmp_path):
    files = write_miniature(tmp_path / "data", "grefcoco", "unc")
    samples = read_refer(files.refs, files.annotations, "testB")
    assert {KINDS[kind] for kind in samples.kinds} == set(KINDS)
    assert [ref["ann_id"] for ref in files.read_refs() if ref["no_target"]] == [[-1]] * 16


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"3", b'[{"split": 3}]'])
def test_damaged_grefs(tmp_path, content):
    files = write_miniature(tmp_path / "data", "grefcoco", "unc")
    files.refs.write_bytes(content)
    with pytest.raises(InputError, match=r"grefs\(unc\)\.json is not (JSON|a refs file)"):
        read_refer(files.refs, files.annotations, "train")


@pytest.mark.parametrize(
    ("split", "given", "belongs"),
    [
        ("train", "train", True),
        ("train", "training", False),
        ("val", "val", True),
        ("val", "train", False),
        ("testA", "testA", True),
        ("testA", "testB", False),
        ("testA", "testAB", True),
        ("testC", "testBC", True),
        ("testA", "trainA", False),
        ("test", "test", True),
        ("test", "testB", True),
        ("test", "val", False),
        ("testB", "test", False),
    ],
)
def test_splits(split, given, belongs):
    assert in_split(split, given) == belongs


@pytest.mark.parametrize("split", ["test2", "", "Train", "testC"])
def test_an_unknown_split(coco, split):
    with pytest.raises(InputError, match=rf"has no split '{split}'; it has: testA, testB, train, val$"):
        read_refer(coco.refs, coco.annotations, split)


def changed(files: Miniature, change, *, bad_share: float = 0.1, **instances) -> PackedSamples:
    """The samples after `change` was done to the first ref, and `instances` to the annotations file."""
    refs = files.read_refs()
    change(refs[0])
    files.write_refs(refs)
    data = json.loads(files.annotations.read_text())
    for name, edit in instances.items():
        data[name] = edit(data[name])
    files.annotations.write_text(json.dumps(data))
    return read_refer(files.refs, files.annotations, "train", bad_share=bad_share)


def nothing(ref: dict) -> None:
    pass


def test_raw_is_preferred_to_sent(coco):
    def change(ref):
        ref["sentences"][0] |= {"raw": "As Typed!", "sent": "as typed"}
        ref["sentences"][1] |= {"raw": "", "sent": "from sent"}

    samples = changed(coco, change)
    assert [sample.text for sample in samples][:2] == ["As Typed!", "from sent"]
    assert changed(coco, lambda ref: ref["sentences"][0].pop("raw"))[0].text == "as typed"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"ann_id": [], "source": "zero"}, "zero"),
        ({"ann_id": [10_000], "source": "zero"}, "zero"),
        ({"ann_id": -1, "source": "zero"}, "zero"),
        ({"ann_id": [-1]}, "zero"),
        ({"ann_id": -1, "source": "other"}, "zero"),
        ({"ann_id": [], "source": "other"}, "zero"),
        ({"ann_id": 10_000, "source": "coco"}, "one"),
        ({"ann_id": [10_000], "source": "one"}, "one"),
        ({"ann_id": (10_000,), "source": "many"}, "one"),
        ({"ann_id": [10_000, 10_000], "source": None}, "one"),
        ({"ann_id": [10_000, 10_002], "source": "many"}, "many"),
        ({"ann_id": [10_000, 10_001, 10_002], "source": 3}, "many"),
    ],
    ids=str,
)
def test_the_kind_goes_by_the_number_of_annotations(zom, values, kind):
    sample = changed(zom, lambda ref: ref.update(values))[0]
    assert sample.kind == kind and sample.mask().any() == (kind != "zero")


BOX = [10.0, 4.0, 20.0, 4.0, 20.0, 9.0, 10.0, 9.0]
OTHER = [15.0, 6.0, 30.0, 6.0, 30.0, 20.0, 15.0, 20.0]
MASK, UNION = np.zeros((64, 96), bool), np.zeros((64, 96), bool)
MASK[4:9, 10:20] = UNION[4:9, 10:20] = UNION[6:20, 15:30] = True
RLE, OTHER_RLE = encode_mask(MASK), encode_mask(UNION & ~MASK)
RUNS = {"size": [64, 96], "counts": [644, *[5, 59] * 9, 5, 6144 - 644 - 5 * 10 - 59 * 9]}


@pytest.mark.parametrize(
    ("segmentation", "expected"),
    [
        ([BOX], MASK),
        ([BOX, OTHER], UNION),
        ([BOX, BOX], MASK),
        ([BOX, [1.0, 1.0, 5.0, 5.0]], MASK),
        (RLE, MASK),
        (RUNS, MASK),
        ([RLE], MASK),
        ([RUNS], MASK),
        ([RLE, OTHER_RLE], UNION),
        ([RUNS, OTHER], UNION),
    ],
    ids=str,
)
def test_every_form_of_segmentation(coco, segmentation, expected):
    def edit(annotations):
        annotations[0]["segmentation"] = segmentation
        return annotations

    assert np.array_equal(changed(coco, nothing, annotations=edit)[0].mask(), expected)


def test_what_the_instances_file_lacks_is_left_out_and_told_once(coco, caplog):
    everything = list(read_refer(coco.refs, coco.annotations, "train"))
    assert not caplog.records

    def without_outline(annotations):
        annotations[4]["segmentation"] = []
        return annotations[1:]

    samples = changed(
        coco, nothing, annotations=without_outline, images=lambda images: images[:2] + images[3:]
    )
    refs = coco.read_refs()
    left_out = {0, 4, 6, 7, 8}
    texts = [x["raw"] for ref in refs for x in ref["sentences"] if ref["split"] == "train"]
    numbers = [ref["ref_id"] for ref in refs for _ in ref["sentences"] if ref["split"] == "train"]
    assert texts == [sample.text for sample in everything]
    assert [s.text for s in samples] == [t for t, n in zip(texts, numbers, strict=True) if n not in left_out]
    assert sorted(set(samples.groups)) == list(range(12 - 5))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"{coco.refs}: 5 of the 12 refs of train are left out, since {coco.annotations} has not all that "
        "they refer to (ref 0: annotation 10000, ref 4: annotation 10004, ref 6: image 514, ...); "
        "use the instances file that belongs to the refs"
    )


def test_an_instances_file_of_other_images(coco):
    with pytest.raises(
        InputError, match=r"no sentence of split 'train' .* use the instances file that belongs"
    ):
        changed(coco, nothing, images=lambda _: [], annotations=lambda _: [])


def test_a_zero_ref_of_an_unknown_image_is_left_out(zom, caplog):
    samples = changed(zom, lambda ref: ref.update(image_id=3))
    assert len(samples) == 15 and "(ref 0: image 3)" in caplog.text


NAMED = r"refs\(unc\)\.p: 1 of 12 refs are damaged: ref 0: "


@pytest.mark.parametrize(
    "change",
    [
        lambda ref: ref.pop("ann_id"),
        lambda ref: ref.pop("sentences"),
        lambda ref: ref.pop("image_id"),
        lambda ref: ref.update(image_id=[3]),
        lambda ref: ref.update(ann_id={"a": 3}, image_id={}),
        lambda ref: ref.update(ann_id=[[3]]),
        lambda ref: ref.update(sentences=3),
        lambda ref: ref.update(sentences=["the dog"]),
        lambda ref: ref["sentences"][0].update(raw=None, sent=3),
        lambda ref: ref["sentences"].insert(0, {"tokens": ["dog"]}),
    ],
)
def test_a_damaged_ref_is_named(coco, change):
    with pytest.raises(InputError, match=NAMED) as caught:
        changed(coco, change, bad_share=0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "segmentation",
    [
        "polygon",
        3,
        [3],
        [[1.0, 2.0, 3.0, 4.0]],
        [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]],
        [["1", "2", "3", "4", "5", "6"]],
        [[1.0, 2.0, 3.0, 4.0, 5.0, float("nan")]],
        [[1.0, 2.0, 3.0, 4.0, 5.0, float("inf")]],
        {"size": [64, 96]},
        {"size": [96, 64], "counts": [6144]},
        {"size": [64, 96], "counts": [6000]},
        {"size": [64, 96], "counts": [-1, 6145]},
        {"size": [64, 96], "counts": 3},
        [{"size": [64, 96], "counts": None}],
        [RLE, {"size": [3, 3], "counts": [9]}],
    ],
    ids=str,
)
def test_a_damaged_segmentation_is_named_by_its_ref(coco, segmentation):
    def edit(annotations):
        annotations[0]["segmentation"] = segmentation
        return annotations

    with pytest.raises(InputError, match=f"{NAMED}annotation 10000: ") as caught:
        changed(coco, nothing, annotations=edit, bad_share=0)
    assert "\n" not in str(caught.value)


NEITHER = "a segmentation is neither polygons about the image nor an RLE of its size"
FAR, NAN = [[0.0, 0.0, 1e9, 0.0, 0.0, 1e9]], [1.0, 2.0, 3.0, 4.0, 5.0, float("nan")]
DAMAGED = [[[1, 2, 3, 4]], FAR, [NAN], [RLE, NAN], {"size": [3, 3], "counts": "0"}]


def damage(annotations: list[dict]) -> list[dict]:
    for annotation, segmentation in zip(annotations, DAMAGED, strict=False):
        annotation["segmentation"] = segmentation
    return annotations


def test_damaged_annotations_are_left_out_and_counted(coco, caplog):
    everything = read_refer(coco.refs, coco.annotations, "train")
    samples = changed(coco, nothing, annotations=damage, bad_share=0.4)
    assert list(samples) == [everything[i] for i in np.flatnonzero(everything.groups >= len(DAMAGED))]
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{coco.refs}: 5 of 12 refs are damaged: "
        "ref 0: annotation 10000: no polygon of its segmentation has three points; "
        f"ref 1: annotation 10001: {NEITHER}; ref 2: annotation 10002: {NEITHER}; ...; left out"
    )


def test_too_many_damaged_annotations(coco):
    message = r"5 of 12 refs are damaged: ref 0.*at most a share of 0.3 may be \(data.bad_share"
    with pytest.raises(InputError, match=message):
        changed(coco, nothing, annotations=damage, bad_share=0.3)


def test_a_ref_without_a_segmentation_is_left_out(coco, caplog):
    def edit(annotations):
        del annotations[0]["segmentation"]
        return annotations

    changed(coco, nothing, annotations=edit)
    assert "1 of the 12 refs of train are left out" in caplog.text


@pytest.mark.parametrize("value", [{}, 3, "refs", [3], [{"ref_id": 1}], [{"split": 3}], None])
def test_other_pickles_are_no_refs_files(coco, value):
    coco.refs.write_bytes(pickle.dumps(value))
    with pytest.raises(InputError, match="is not a refs file"):
        read_refer(coco.refs, coco.annotations, "train")


def test_a_refs_file_without_refs(coco):
    coco.refs.write_bytes(pickle.dumps([]))
    with pytest.raises(InputError, match="has no split 'train'; it has: none"):
        read_refer(coco.refs, coco.annotations, "train")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b'{"images": []}', b'{"images": [{}], "annotations": []}', b"\xff\xfe"]
)
def test_other_files_are_no_instances_files(coco, content):
    coco.annotations.write_bytes(content)
    with pytest.raises(InputError, match=r"instances\.json is not a COCO instances file: "):
        read_refer(coco.refs, coco.annotations, "train")


def test_missing_files(coco):
    with pytest.raises(InputError, match=r"cannot read .*nowhere\.p: No such file"):
        read_refer(coco.refs.with_name("nowhere.p"), coco.annotations, "train")
    with pytest.raises(InputError, match=r"cannot read .*nowhere\.json: No such file"):
        read_refer(coco.refs, coco.annotations.with_name("nowhere.json"), "train")


def test_no_code_runs(coco, hostile_pickle):
    hostile_pickle(coco.refs)
    with pytest.raises(InputError, match="would run "):
        read_refer(coco.refs, coco.annotations, "train")
