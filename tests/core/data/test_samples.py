import json
import zlib

import cv2
import numpy as np
import pytest

from dmmi_core.data.left_out import LeftOut
from dmmi_core.data.samples import (
    Sample,
    decode_segmentation,
    encode_mask,
    is_whole,
    iterate_samples,
    read_image,
    read_samples,
    write_samples,
)
from dmmi_core.errors import InputError

MASK = np.zeros((6, 9), bool)
MASK[1:4, 2:7] = True
SQUARE = [[2.0, 1.0, 7.0, 1.0, 7.0, 4.0, 2.0, 4.0]]
UNCOMPRESSED = {"size": [6, 9], "counts": [13, 3, 3, 3, 3, 3, 3, 3, 3, 3, 14]}
SAMPLES = [
    Sample("a.jpg", "the dög", "one", 6, 9, (SQUARE,)),
    Sample("b/c.png", 'two "cups"\n', "many", 6, 9, (encode_mask(MASK), UNCOMPRESSED)),
    Sample("a.jpg", "a zebra", "zero", 6, 9, ()),
]


@pytest.mark.parametrize(
    "segmentation", [SQUARE, encode_mask(MASK), UNCOMPRESSED], ids=["polygons", "compressed", "uncompressed"]
)
def test_coco_segmentations(segmentation):
    mask = decode_segmentation(segmentation, 6, 9)
    assert mask.dtype == bool and np.array_equal(mask, MASK)


def test_masks_survive_json():
    mask = np.random.default_rng(0).random((13, 7)) > 0.5
    rle = json.loads(json.dumps(encode_mask(mask)))
    assert rle["size"] == [13, 7]
    assert np.array_equal(decode_segmentation(rle, 13, 7), mask)


def test_polygons_may_leave_the_image():
    outside = [[-9.0, -9.0, 18.0, -9.0, 18.0, 18.0, -9.0, 18.0]]
    assert Sample("", "", "one", 6, 9, (outside,)).mask().all()


@pytest.mark.parametrize("mask", [MASK, ~MASK, np.random.default_rng(0).random((60, 90)) > 0.5])
def test_an_rle_that_covers_the_image(mask):
    rle = encode_mask(mask)
    height, width = mask.shape
    assert is_whole(rle, height, width)
    assert not is_whole(rle, height + 1, width)
    assert not is_whole({**rle, "counts": rle["counts"][:-1]}, height, width)


@pytest.mark.parametrize("counts", ["", "PPPP", "zzz~~~", "0", "!!", "d1", "f1N", chr(0)])
def test_an_rle_that_does_not(counts):
    assert not is_whole({"size": [6, 9], "counts": counts}, 6, 9)


def test_what_else_is_whole():
    assert is_whole(SQUARE, 6, 9) and is_whole(UNCOMPRESSED, 6, 9)


def test_the_mask_is_the_union_of_the_objects():
    other = np.zeros_like(MASK)
    other[3:6, 6:9] = True
    assert (MASK & other).any()
    assert np.array_equal(Sample("", "", "many", 6, 9, (SQUARE, encode_mask(other))).mask(), MASK | other)
    assert not SAMPLES[2].mask().any() and SAMPLES[2].mask().shape == (6, 9)


def test_round_trip(tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, SAMPLES)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3
    assert read_samples(path) == SAMPLES


def test_fields_are_those_of_the_format(tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, SAMPLES[:1])
    assert json.loads(path.read_text()) == {
        "image": "a.jpg",
        "text": "the dög",
        "kind": "one",
        "height": 6,
        "width": 9,
        "segmentations": [SQUARE],
    }


GOOD = {"image": "a.jpg", "text": "dog", "kind": "one", "height": 6, "width": 9, "segmentations": [SQUARE]}


def changed(**values) -> str:
    return json.dumps(GOOD | values)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "3",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps({k: v for k, v in GOOD.items() if k != "kind"}),
        changed(colour="red"),
        changed(kind="two"),
        changed(kind="zero"),
        changed(segmentations=[]),
        changed(segmentations=None),
        changed(segmentations="mask"),
        changed(segmentations=[3]),
        changed(segmentations=[[[1, 2]]]),
        changed(segmentations=[{"size": [6, 9]}]),
        changed(segmentations=[[[1, 2, 3, 4, 5, "6"]]]),
        changed(segmentations=[[[1, 2, 3, 4, 5, None]]]),
        changed(segmentations=[[[1, 2, 3, 4, 5, float("nan")]]]),
        changed(segmentations=[[[float("inf"), 2, 3, float("-inf"), 5, 6]]]),
        changed(segmentations=[[[10**400, 2, 3, 4, 5, 6]]]),
        changed(segmentations=[[[0, 0, 9, 0, 9, 1e8]]]),
        changed(segmentations=[[[-9.5, 0, 9, 0, 9, 6]]]),
        changed(segmentations=[SQUARE, []]),
        changed(segmentations=[{"size": [3, 3], "counts": [9]}]),
        changed(segmentations=[{"size": [6, 9], "counts": [53]}]),
        changed(segmentations=[{"size": [6, 9], "counts": [-1, 55]}]),
        changed(segmentations=[{"size": [6, 9], "counts": ["54"]}]),
        changed(segmentations=[{"size": [6, 9], "counts": []}]),
        changed(segmentations=[{"size": [6, 9], "counts": None}]),
        changed(height=10**12, segmentations=[], kind="zero"),
        changed(height="6"),
        changed(width=None),
        changed(height=0),
        changed(image=3),
        changed(text=None),
        b"\xff\xfe",
    ],
    ids=str,
)
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "samples.jsonl"
    bad = line if isinstance(line, bytes) else line.encode()
    path.write_bytes(json.dumps(GOOD).encode() + b"\n" + bad + b"\n" + json.dumps(GOOD).encode() + b"\n")
    with pytest.raises(InputError, match=r"samples\.jsonl, line 2: not a sample: "):
        read_samples(path)


def test_a_bad_line_is_not_repeated_at_length(tmp_path):
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps({"a key" * 1000: 1}) + "\n")
    with pytest.raises(InputError) as raised:
        read_samples(path)
    assert len(str(raised.value)) < 500


def test_bad_lines_are_left_out_up_to_a_share(tmp_path, caplog):
    path = tmp_path / "samples.jsonl"
    write_samples(path, SAMPLES)
    bad = changed(segmentations=[[[1, 2, 3, 4]]])
    path.write_text("\n".join([*path.read_text(encoding="utf-8").splitlines(), bad]), encoding="utf-8")
    assert list(iterate_samples(path, LeftOut("line", 0.25))) == SAMPLES
    assert f"{path}: 1 of 4 lines are damaged: line 4: not a sample: " in caplog.text
    with pytest.raises(InputError, match="1 of 4 lines are damaged"):
        list(iterate_samples(path, LeftOut("line", 0)))


def test_a_damaged_rle_has_no_mask():
    sample = Sample("a.jpg", "dog", "one", 6, 9, ({"size": [6, 9], "counts": "PPPP"},))
    with pytest.raises(InputError, match=r"a\.jpg, 'dog': the RLE of a segmentation is damaged"):
        sample.mask()


def test_samples_come_one_by_one(tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, SAMPLES)
    path.write_bytes(path.read_bytes() + b"{")
    samples = iterate_samples(path)
    assert [next(samples) for _ in SAMPLES] == SAMPLES
    with pytest.raises(InputError, match="line 4"):
        next(samples)


def test_a_missing_samples_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*: No such file"):
        read_samples(tmp_path / "samples.jsonl")


COLOURS = np.array(
    [[[10, 120, 250], [0, 0, 0], [255, 255, 255]], [[1, 2, 3], [250, 128, 5], [7, 7, 200]]], np.uint8
)
GREY = COLOURS[..., 0]


def write(path, pixels: np.ndarray) -> None:
    """RGB, RGBA or grey."""
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    assert cv2.imwrite(str(path), pixels)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (COLOURS, COLOURS),
        (GREY, np.stack([GREY] * 3, axis=2)),
        (np.dstack([COLOURS, np.full((2, 3), 200, np.uint8)]), COLOURS),
        (COLOURS.astype(np.uint16) * 257, COLOURS),
        (GREY.astype(np.uint16) * 257, np.stack([GREY] * 3, axis=2)),
        (COLOURS[:1, :1], COLOURS[:1, :1]),
    ],
    ids=["RGB", "grey", "RGBA", "16 bits", "16 bits grey", "one pixel"],
)
def test_any_picture_becomes_rgb_of_8_bits(tmp_path, pixels, expected):
    path = tmp_path / "ünïcode name.png"
    write(tmp_path / "a.png", pixels)
    (tmp_path / "a.png").rename(path)
    image = read_image(path)
    assert image.dtype == np.uint8 and np.array_equal(image, expected)


def huge_header(pixels: int) -> bytes:
    """The start of a PNG that claims to have so many pixels on each side."""
    side = pixels.to_bytes(4, "big")
    chunk = b"IHDR" + side + side + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image"),
        (b"hello" * 100, "not an image"),
        (huge_header(60_000), "not an image"),  # which OpenCV refuses in another way than more
        (huge_header(100_000), "not an image"),
    ],
    ids=["empty", "text", "huge", "more than huge"],
)
def test_other_files_are_not_images(tmp_path, content, message):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_image(path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").touch()
    monkeypatch.setattr(np, "fromfile", refuse)  # the tests may run as root, who may read all
    with pytest.raises(InputError, match=r"cannot read .*a\.png: Permission denied"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["nowhere.png", ".", "x" * 5000, "nul\0.png"])
def test_what_is_no_file(tmp_path, name):
    with pytest.raises(InputError, match="no such image file"):
        read_image(tmp_path / name)
