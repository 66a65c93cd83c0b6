"""Miniatures of RefCOCO, RefCOCO+, RefCOCOg, Ref-ZOM and gRefCOCO: the released formats, with drawn images.

Images are drawn as in `pictures`, so that `reader.understand` finds the objects of an expression by their
pixels alone.
"""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from helpers.pictures import CATEGORIES, COLOURS, PLURALS

SPLITS = {
    ("refcoco", "unc"): ("train", "val", "testA", "testB"),
    ("refcoco", "google"): ("train", "val", "test"),
    ("refcoco+", "unc"): ("train", "val", "testA", "testB"),
    ("refcocog", "umd"): ("train", "val", "test"),
    ("refcocog", "google"): ("train", "val"),
    ("ref-zom", "final"): ("train", "test"),
    ("grefcoco", "unc"): ("train", "val", "testA", "testB"),
}
"""Splits by dataset and author of the splits."""
ALL_KINDS = ("ref-zom", "grefcoco")
"""Datasets with zero, one and many targets."""
WIDTH, HEIGHT, CELL = 96, 64, 32
PLURAL = {category: plural for plural, category in PLURALS.items()}


@dataclass(frozen=True)
class Miniature:
    """The files of a miniature dataset."""

    images: Path
    """Folder of the images, 96 x 64."""
    refs: Path
    annotations: Path

    def read_refs(self) -> list[dict]:
        data = self.refs.read_bytes()
        return json.loads(data) if self.refs.suffix == ".json" else pickle.loads(data)

    def write_refs(self, refs: Any) -> None:
        json_file = self.refs.suffix == ".json"
        self.refs.write_bytes(json.dumps(refs).encode() if json_file else pickle.dumps(refs, protocol=2))


@dataclass(frozen=True)
class _Object:
    id: int
    category: str
    side: str
    """left, middle or right."""


def write_miniature(
    folder: Path, dataset: str = "refcoco", split_by: str = "unc", *, images_per_split: int = 4
) -> Miniature:
    """Write `images`, `refs(SPLIT_BY).p` and `instances.json` into `folder`; gRefCOCO has `grefs(unc).json`.

    An image has three objects, two of one category (in RefCOCO+, which has no words of place, of three). Each
    object has a ref of two or three sentences; in those of ALL_KINDS an image has a zero, a one and two many
    refs.
    """
    name = f"grefs({split_by}).json" if dataset == "grefcoco" else f"refs({split_by}).p"
    files = Miniature(folder / "images", folder / name, folder / "instances.json")
    files.images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations, refs = [], [], []
    splits = [split for split in SPLITS[dataset, split_by] for _ in range(images_per_split)]
    for number, split in enumerate(splits):
        image, objects, outlines = _draw_image(files.images, number, dataset, rng)
        images.append(image)
        annotations += outlines
        tell = _tell_all_kinds if dataset in ALL_KINDS else _tell
        for told, sentences in tell(objects, places=dataset != "refcoco+"):
            refs.append(_ref(len(refs), image, split, told, sentences, dataset))
    categories = [{"supercategory": "thing", "id": i + 1, "name": name} for i, name in enumerate(CATEGORIES)]
    instances = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
    files.annotations.write_text(json.dumps(instances | {"categories": categories}))
    files.write_refs(refs)
    return files


def _draw_image(
    folder: Path, number: int, dataset: str, rng: np.random.Generator
) -> tuple[dict, list[_Object], list[dict]]:
    """Draw an image; return its entry in the instances file, its objects, and their annotations."""
    first, second, third = rng.permutation(CATEGORIES).tolist()[:3]
    image_id = 500 + 7 * number
    year = "val2014" if dataset == "ref-zom" and number % 2 else "train2014"
    pixels = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    objects, annotations = [], []
    categories = (first, second, third if dataset == "refcoco+" else first)
    for cell, (category, side) in enumerate(zip(categories, ("left", "middle", "right"), strict=True)):
        item = _Object(10_000 + 3 * number + cell, category, side)
        boxes = _cross(cell * CELL, rng)
        for x, y, width, height in boxes:
            pixels[y : y + height, x : x + width] = COLOURS[category]
        objects.append(item)
        annotations.append(_annotation(item, image_id, boxes, number + cell))
    name = f"COCO_{year}_{image_id:012}.jpg"
    exact = [cv2.IMWRITE_JPEG_QUALITY, 100]
    exact += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    assert cv2.imwrite(str(folder / name), pixels[..., ::-1], exact)
    image = {"license": 1, "file_name": name, "height": HEIGHT, "width": WIDTH, "id": image_id}
    return image, objects, annotations


def _cross(left: int, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Return two overlapping boxes x, y, width, height inside a cell."""
    width, height = (int(side) for side in rng.integers(14, CELL - 8, 2))
    x, y = left + 3 + int(rng.integers(0, CELL - 6 - width)), int(rng.integers(3, HEIGHT - 3 - height))
    return [(x, y + 4, width, height - 8), (x + 4, y, width - 8, height)]


def _annotation(item: _Object, image_id: int, boxes: list[tuple], form: int) -> dict:
    """Return an annotation; `form` selects one of the forms of segmentation in COCO files."""
    polygons = [[float(v) for v in (x, y, x + w, y, x + w, y + h, x, y + h)] for x, y, w, h in boxes]
    merged = coco_mask.merge(coco_mask.frPyObjects(polygons, HEIGHT, WIDTH))
    compressed = {"size": [HEIGHT, WIDTH], "counts": merged["counts"].decode()}
    forms = (polygons, _uncompressed(coco_mask.decode(merged)), [compressed], compressed)
    return {
        "segmentation": forms[form % 4],
        "area": int(coco_mask.area(merged)),
        "iscrowd": int(form % 4 == 1),
        "image_id": image_id,
        "bbox": coco_mask.toBbox(merged).tolist(),
        "category_id": CATEGORIES.index(item.category) + 1,
        "id": item.id,
    }


def _uncompressed(mask: np.ndarray) -> dict:
    """Return an uncompressed RLE: lengths of the runs of 0 and 1, column by column, starting with 0."""
    pixels = mask.flatten(order="F")
    ends = np.flatnonzero(np.diff(pixels)) + 1
    counts = np.diff([0, *ends, pixels.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if pixels[0] else counts}


def _tell(objects: list[_Object], *, places: bool) -> list[tuple[list[_Object], list[str]]]:
    """Return the objects and the sentences of one ref for each object."""
    told = []
    for item in objects:
        if places and item.side != "middle":
            sentences = [f"the {item.side} {item.category}", f"{item.category} on the {item.side}"]
        else:
            sentences = [f"the {item.category}", item.category, f"find the {item.category}"]
        told.append(([item], sentences))
    return told


def _tell_all_kinds(objects: list[_Object], *, places: bool) -> list[tuple[list[_Object], list[str]]]:
    left, middle, right = objects
    absent = next(name for name in CATEGORIES if name not in (left.category, middle.category))
    several = PLURAL[left.category]
    return [
        ([], [f"the {absent}"]),
        ([middle], [f"the {middle.category}"]),
        ([left, right], [f"the two {several}"]),
        ([left, right, middle], [f"the {several} and the {middle.category}"]),
    ]


def _ref(
    number: int, image: dict, split: str, told: list[_Object], sentences: list[str], dataset: str
) -> dict:
    """Return an entry of the refs file; `raw` is the text as typed."""
    first = 10 * number
    ref = {
        "sent_ids": [first + i for i in range(len(sentences))],
        "ann_id": [item.id for item in told],
        "ref_id": number,
        "image_id": image["id"],
        "split": split,
        "sentences": [
            {
                "tokens": text.split(),
                "raw": text.upper() if i else text,
                "sent_id": first + i,
                "sent": text,
            }
            for i, text in enumerate(sentences)
        ],
    }
    if dataset == "grefcoco":
        return ref | {
            "ann_id": [item.id for item in told] or [-1],
            "category_id": [CATEGORIES.index(item.category) + 1 for item in told] or [-1],
            "file_name": image["file_name"],
            "no_target": not told,
        }
    if dataset == "ref-zom":
        return ref | {"source": ("zero", "one", "many")[min(len(told), 2)]}
    # The file name is of a crop that is not released; the image's own name is in the instances file.
    crop = image["file_name"].replace(".jpg", f"_{number}.jpg")
    category = CATEGORIES.index(told[0].category) + 1
    return ref | {"ann_id": told[0].id, "category_id": category, "file_name": crop}
