"""`dmmi build-refzom`: the same bytes each time, its options, and one clear line for bad input."""

import errno
import json
import os
import pickle
import re
import subprocess
import sys

import pytest

from dmmi_core.cli import main
from dmmi_core.data.samples import read_samples

FILES = {
    "candidates.jsonl",
    "instances.json",
    "refs(final).p",
    "statistics.md",
    "test.jsonl",
    "train.jsonl",
}


def build(sources, folder, *more, seed: int = 0) -> int:
    arguments = ["--annotations", sources.annotations, "--captions", sources.captions, "--refs", sources.refs]
    return main([str(a) for a in ("build-refzom", *arguments, "--seed", seed, *more, folder)])


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_bytes_whatever_the_hash_seed(sources, tmp_path):
    data = json.loads(sources.annotations.read_text())
    shuffled = tmp_path / "instances.json"
    shuffled.write_text(json.dumps(data | {"images": data["images"][::-1]}))
    made = []
    for number, (hash_seed, annotations) in enumerate(
        [("1", sources.annotations), ("2", sources.annotations)]
    ):
        folder = tmp_path / f"out{number}"
        command = [sys.executable, "-m", "dmmi_core.cli", "build-refzom", str(folder)]
        command += ["--annotations", str(annotations), "--captions", str(sources.captions)]
        command += ["--refs", str(sources.refs)]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        made.append(contents(folder))
        assert printed == made[-1]["statistics.md"].decode()
    assert set(made[0]) == FILES
    assert made[0] == made[1]


def test_the_order_of_the_images_does_not_matter(sources, tmp_path):
    data = json.loads(sources.annotations.read_text())
    shuffled = tmp_path / "instances.json"
    shuffled.write_text(json.dumps(data | {"images": data["images"][::-1]}))
    assert build(sources, tmp_path / "a") == build(sources, tmp_path / "b", "--annotations", shuffled) == 0
    made, again = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert all(made[name] == again[name] for name in FILES - {"instances.json"})


def test_the_seed_changes_what_is_drawn_but_not_the_splits(sources, tmp_path):
    for seed in (0, 1):
        assert build(sources, tmp_path / str(seed), seed=seed) == 0
    read = {seed: read_samples(tmp_path / str(seed) / "test.jsonl") for seed in (0, 1)}
    assert read[0] != read[1]
    train = {sample.image for sample in read_samples(tmp_path / "0" / "train.jsonl")}
    assert train.isdisjoint(sample.image for sample in read[1])


def test_captions_of_the_instances_file_are_used(sources, tmp_path):
    data = json.loads(sources.annotations.read_text())
    data["images"][0]["captions"] = ["Two cats in  a tree.\n"]
    image_id = data["images"][0]["id"]
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] != image_id]
    for number in (7001, 7002):
        data["annotations"].append(
            {"id": number, "image_id": image_id, "category_id": 2, "bbox": [0, 0, 9, 9], "iscrowd": 0,
             "segmentation": [[0, 0, 9, 0, 9, 9]]}
        )  # fmt: skip
    annotations = tmp_path / "instances.json"
    annotations.write_text(json.dumps(data))
    lines = []
    for seed in range(5):  # the image may be kept for one-to-zero texts
        assert (
            main(
                ["build-refzom", "--annotations", str(annotations), str(tmp_path / "o"), "--seed", str(seed)]
            )
            == 0
        )
        lines += (tmp_path / "o" / "candidates.jsonl").read_text().splitlines()
    expected = {"image": "000000.png", "image_id": 0, "text": "Two cats in a tree.", "ann_id": [7001, 7002]}
    assert expected in [json.loads(line) for line in lines]


def test_confirmed_candidates_become_samples(sources, tmp_path):
    assert build(sources, tmp_path / "first") == 0
    lines = (tmp_path / "first" / "candidates.jsonl").read_text().splitlines()
    kept = [json.loads(line) | {"text": f"rewritten {n}"} for n, line in enumerate(lines[:4])]
    confirmed = tmp_path / "confirmed.jsonl"
    confirmed.write_text("".join(json.dumps(line) + "\n" for line in kept))
    assert build(sources, tmp_path / "second", "--confirmed", confirmed) == 0
    refs = pickle.loads((tmp_path / "second" / "refs(final).p").read_bytes())
    found = {s["raw"]: (ref["image_id"], ref["ann_id"]) for ref in refs for s in ref["sentences"]}
    for line in kept:
        assert found[line["text"]] == (line["image_id"], sorted(line["ann_id"]))
    assert "| one-to-many texts, captions | 4 |" in (tmp_path / "second" / "statistics.md").read_text()


def test_a_text_that_people_wrote_for_two_objects_is_left_out(sources, tmp_path):
    annotations = json.loads(sources.annotations.read_text())["annotations"]
    first = annotations[0]
    other = next(a for a in annotations[1:] if a["image_id"] == first["image_id"])
    texts = {first["id"]: ["The thing", "thing 1"], other["id"]: ["the thing"]}
    refs = [
        {"ann_id": i, "image_id": first["image_id"], "sentences": [{"raw": t, "sent": t} for t in sentences]}
        for i, sentences in texts.items()
    ]
    (tmp_path / "refs.p").write_bytes(pickle.dumps(refs))
    arguments = ["--annotations", sources.annotations, "--refs", tmp_path / "refs.p", tmp_path / "out"]
    assert main(["build-refzom", *map(str, arguments)]) == 0
    written = pickle.loads((tmp_path / "out" / "refs(final).p").read_bytes())
    texts = {sentence["raw"] for ref in written for sentence in ref["sentences"]}
    assert "thing 1" in texts and texts.isdisjoint(["The thing", "the thing"])


def test_only_images_that_are_there(sources, tmp_path):
    there = ["000003.png", "000008.png"]
    for name in there:
        (tmp_path / name).write_bytes((sources.images / name).read_bytes())
    assert build(sources, tmp_path / "out", "--images", tmp_path) == 0
    data = json.loads((tmp_path / "out" / "instances.json").read_text())
    assert {image["file_name"] for image in data["images"]} <= set(there)


def test_an_earlier_output_is_replaced(sources, tmp_path):
    assert build(sources, tmp_path / "out", seed=1) == 0
    before = contents(tmp_path / "out")
    assert build(sources, tmp_path / "out", seed=2) == 0
    assert set(contents(tmp_path / "out")) == FILES and contents(tmp_path / "out") != before


def test_nothing_else_is_replaced(sources, tmp_path, capsys):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    assert build(sources, tmp_path) == 2
    assert "is not empty and holds no earlier output" in capsys.readouterr().err
    assert build(sources, precious) == 2
    assert "is a file" in capsys.readouterr().err
    assert precious.read_text() == "mine" and list(tmp_path.iterdir()) == [precious]


def test_a_failure_leaves_the_earlier_output(sources, tmp_path, monkeypatch, capsys):
    assert build(sources, tmp_path / "out", seed=1) == 0
    before = contents(tmp_path / "out")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dmmi_core.data.refzom.output_files.write_candidates", full)
    assert build(sources, tmp_path / "out", seed=2) == 2
    said = rf"dmmi: cannot write {tmp_path}/out: No space left on device; it needs more than .* [kM]B, "
    assert re.match(said, capsys.readouterr().err.splitlines()[-1])
    assert contents(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--annotations", b"{}", "is not a COCO instances file"),
        ("--annotations", b"[" * 100_000, "is not a COCO instances file"),
        (
            "--annotations",
            b'{"images": [{"id": 1, "file_name": 5}], "annotations": [], "categories": []}',
            "file_name of image 1 is 5; it must be str",
        ),
        (
            "--annotations",
            b'{"images": [{"id": 1, "captions": [5]}], "annotations": [], "categories": []}',
            "captions of image 1 is [5]; it must be str",
        ),
        ("--annotations", b'{"images": [{"id": []}], "annotations": []}', "id of image [] is []"),
        ("--annotations", None, "cannot read"),
        ("--captions", b"nonsense", "is not JSON"),
        ("--captions", b"[]", "is not a COCO captions file"),
        ("--captions", b'{"annotations": [{"id": 1}]}', "is not a COCO captions file"),
        (
            "--captions",
            b'{"annotations": [{"id": 1, "image_id": 1, "caption": 5}]}',
            "caption of annotation 1 is 5",
        ),
        ("--captions", b"[" * 100_000, "is not JSON"),
        ("--captions", None, "cannot read"),
        ("--refs", b"nonsense", "is damaged, or no pickle file"),
        ("--refs", pickle.dumps({"a": 1}), "is not a refs file of the RefCOCO family"),
        ("--refs", pickle.dumps([{"ref_id": 4, "ann_id": [1, 2]}]), "ref 4 has not one annotation"),
        (
            "--refs",
            pickle.dumps([{"ann_id": 1, "image_id": 3, "sentences": [{"raw": "a dog", "sent": ""}]}]),
            "'a dog' refers to annotations [1] of image 3, which lacks some of them",
        ),
        ("--confirmed", b"nonsense", "line 1: not a candidate"),
        ("--confirmed", b"[" * 100_000, "line 1: not a candidate"),
        ("--confirmed", b'{"image_id": [], "text": "a", "ann_id": [1, 2]}', "line 1: not a candidate"),
        ("--confirmed", None, "cannot read"),
    ],
)
def test_bad_files(sources, tmp_path, capsys, option, content, message):
    path = tmp_path / "bad"
    if content is not None:
        path.write_bytes(content)
    assert build(sources, tmp_path / "out", option, path) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dmmi: ") and message in line
    assert not (tmp_path / "out").exists()


def test_a_hostile_refs_file_is_refused(sources, tmp_path, capsys, hostile_pickle):
    hostile_pickle(tmp_path / "refs.p")
    assert build(sources, tmp_path / "out", "--refs", tmp_path / "refs.p") == 2
    assert "would run" in capsys.readouterr().err


def test_annotations_without_ids(pictures, tmp_path, capsys):
    assert main(["build-refzom", "--annotations", str(pictures), str(tmp_path / "out")]) == 2
    assert "images and annotations need ids: KeyError('id')" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--seed", -1), ("--test-share", 0)])
def test_bad_numbers(sources, tmp_path, capsys, option):
    assert build(sources, tmp_path / "out", *option) == 2
    assert "--seed must be at least 0 and --test-share at least 1" in capsys.readouterr().err


def test_no_images(sources, tmp_path, capsys):
    assert build(sources, tmp_path / "out", "--images", tmp_path) == 2
    assert "no photograph to use" in capsys.readouterr().err
