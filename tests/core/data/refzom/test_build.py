"""The built dataset against the pixels of the images, and its files against each other."""

import json
import pickle
import re
from collections import Counter

import pytest

from dmmi_core.cli import main
from dmmi_core.data.refer import read_refer
from dmmi_core.data.refzom.build import is_test
from dmmi_core.data.samples import Sample, read_image, read_samples
from helpers.reader import assert_true

SPLITS = ("train", "test")
SHARE = 4


@pytest.fixture(scope="module")
def built(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "out"
    arguments = ["--annotations", sources.annotations, "--captions", sources.captions, "--refs", sources.refs]
    arguments += ["--images", sources.images, "--test-share", SHARE, folder]
    assert main(["build-refzom", *map(str, arguments)]) == 0
    return folder


@pytest.fixture(scope="module")
def samples(built):
    return {split: read_samples(built / f"{split}.jsonl") for split in SPLITS}


@pytest.fixture(scope="module")
def refs(built):
    return pickle.loads((built / "refs(final).p").read_bytes())


def every(samples) -> list:
    return [sample for split in SPLITS for sample in samples[split]]


def plain(text: str) -> str:
    """As `reader.understand` takes it; a number of one is an article."""
    text = re.sub(r", (?=the|an?\b|\w+ )", " and ", text.lower().rstrip("."))
    return re.sub(r"\ba (\w+)", r"the \1", text)


def test_every_text_is_true_of_the_pixels(samples, sources):
    kinds = Counter(sample.kind for sample in every(samples))
    assert kinds["zero"] >= 5 and kinds["one"] > 50 and kinds["many"] > 50, kinds
    for sample in every(samples):
        assert_true(plain(sample.text), read_image(sources.images / sample.image), sample.mask())


def test_no_image_has_texts_with_and_without_targets(samples):
    zero = {sample.image for sample in every(samples) if sample.kind == "zero"}
    assert zero.isdisjoint(sample.image for sample in every(samples) if sample.kind != "zero")


def test_images_with_expressions_are_never_used_for_zero(samples, sources, refs):
    named = {ref["image_id"] for ref in pickle.loads(sources.refs.read_bytes())}
    assert named.isdisjoint(ref["image_id"] for ref in refs if ref["source"] == "zero")


def test_splits_go_by_the_file_name(samples):
    for split in SPLITS:
        assert samples[split]
        assert {is_test(sample.image, SHARE) for sample in samples[split]} == {split == "test"}


def test_no_text_twice_for_an_image(samples):
    counts = Counter((sample.image, sample.text) for sample in every(samples))
    assert counts.most_common(1)[0][1] == 1


def test_a_text_means_the_same_objects_in_all_files(built, samples):
    for split in SPLITS:
        read = read_refer(built / "refs(final).p", built / "instances.json", split)
        from_refs = Counter((s.image, s.text, s.kind, s.mask().tobytes()) for s in read)
        assert from_refs == Counter((s.image, s.text, s.kind, s.mask().tobytes()) for s in samples[split])


def test_refs_are_in_the_form_of_ref_zom(refs, built):
    data = json.loads((built / "instances.json").read_text())
    image_of = {annotation["id"]: annotation["image_id"] for annotation in data["annotations"]}
    assert {image["id"] for image in data["images"]} == {ref["image_id"] for ref in refs}
    for ref in refs:
        assert set(ref) == {"ref_id", "ann_id", "image_id", "split", "source", "sentences", "sent_ids"}
        assert ref["source"] == ("zero", "one", "many")[min(len(ref["ann_id"]), 2)]
        assert all(image_of[annotation] == ref["image_id"] for annotation in ref["ann_id"])
        assert ref["split"] in SPLITS
        assert [sentence["sent_id"] for sentence in ref["sentences"]] == ref["sent_ids"]
        for sentence in ref["sentences"]:
            assert set(sentence) == {"sent_id", "raw", "tokens", "sent"}
            assert sentence["sent"] == " ".join(sentence["tokens"])
            assert sentence["tokens"] == re.findall(r"\w+", sentence["raw"].lower())
    assert len({ref["ref_id"] for ref in refs}) == len(refs)
    sent_ids = [sent_id for ref in refs for sent_id in ref["sent_ids"]]
    assert len(set(sent_ids)) == len(sent_ids)
    assert max(Counter((ref["image_id"], *ref["ann_id"]) for ref in refs if ref["ann_id"]).values()) == 1


def test_expressions_are_taken_and_combined(samples):
    assert any(re.fullmatch(r"The \w+\.", sample.text) for sample in every(samples) if sample.kind == "one")
    joined = re.compile(r"the (leftmost )?\w+ and the (leftmost )?\w+")
    assert any(joined.fullmatch(s.text) and len(s.segmentations) == 2 for s in every(samples))


def test_the_statistics_are_of_the_files(built, samples, refs):
    lines = [line.strip("| \n").split(" | ") for line in (built / "statistics.md").read_text().splitlines()]
    table = {name: cells for name, *cells in (line for line in lines if len(line) > 1)}
    for column, of_split in enumerate([SPLITS, ("train",), ("test",)]):
        chosen = [ref for ref in refs if ref["split"] in of_split]
        texts = [sample for split in of_split for sample in samples[split]]
        objects = {
            kind: {i for ref in chosen if ref["source"] == kind for i in ref["ann_id"]}
            for kind in ("one", "many")
        }
        expected = {
            "images": len({sample.image for sample in texts}),
            "annotated objects": len(objects["one"] | objects["many"]),
            "one-to-many objects": len(objects["many"]),
            "one-to-one objects": len(objects["one"]),
            "one-to-zero images": len({sample.image for sample in texts if sample.kind == "zero"}),
            "texts": len(texts),
        }
        for kind in ("zero", "one", "many"):
            expected[f"one-to-{kind} texts"] = sum(sample.kind == kind for sample in texts)
            ways = [
                int(cells[column])
                for name, cells in table.items()
                if name.startswith(f"one-to-{kind} texts,")
            ]
            assert sum(ways) == expected[f"one-to-{kind} texts"]
        assert {name: int(table[name][column]) for name in expected} == expected
        words = sum(len(sample.text.split()) for sample in texts) / len(texts)
        assert float(table["words per text"][column]) == pytest.approx(words, abs=0.051)
    assert table["one-to-zero images"][3] == "11937 / - / -"
    rejected = sum(int(cells[0]) for name, cells in table.items() if name.startswith("rejected: "))
    assert rejected > 0
    zero = sum(sample.kind == "zero" for sample in every(samples))
    assert int(table["one-to-zero texts tried"][0]) == rejected + zero


def test_candidates_are_captions_whose_number_fits(built, sources):
    lines = [json.loads(line) for line in (built / "candidates.jsonl").read_text().splitlines()]
    assert len(lines) > 5
    outlines = {
        a["id"]: a["segmentation"] for a in json.loads(sources.annotations.read_text())["annotations"]
    }
    for line in lines:
        assert set(line) == {"image", "image_id", "text", "ann_id"}
        image = read_image(sources.images / line["image"])
        sample = Sample("", "", "many", *image.shape[:2], tuple(outlines[i] for i in line["ann_id"]))
        assert_true(plain(line["text"]), image, sample.mask())
