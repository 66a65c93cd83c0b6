"""Drawn images as the builder takes them: COCO instances and captions, and RefCOCO's refs."""

import json
import pickle
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from dmmi_core.data.samples import read_image
from helpers.pictures import CATEGORIES, PLURALS, look, write_pictures

NUMBERS = ("no", "a", "two", "three", "four", "five", "six")
PLURAL = {category: plural for plural, category in PLURALS.items()}


@dataclass(frozen=True)
class Sources:
    images: Path
    annotations: Path
    captions: Path
    refs: Path
    """Captions of every second image only."""


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> Sources:
    folder = tmp_path_factory.mktemp("refzom")
    annotations = write_pictures(folder, count=100, seed=3)
    data = json.loads(annotations.read_text())
    for number, annotation in enumerate(data["annotations"]):
        annotation["id"] = 900 + 3 * number
    annotations.write_text(json.dumps(data))
    captions, refs = folder / "captions.json", folder / "refs(unc).p"
    captions.write_text(json.dumps({"annotations": [_caption(folder, image) for image in data["images"]]}))
    refs.write_bytes(pickle.dumps(_refs(data), protocol=2))
    return Sources(folder, annotations, captions, refs)


def _caption(folder: Path, image: dict) -> dict:
    """What the pixels show, be it annotated or not."""
    seen = look(read_image(folder / image["file_name"]))
    parts = [
        f"{NUMBERS[len(items)]} {category if len(items) == 1 else PLURAL[category]}"
        for category, items in seen.items()
        if items
    ]
    return {"id": 7 * image["id"], "image_id": image["id"], "caption": f"{' and '.join(parts)}.".capitalize()}


def _refs(data: dict) -> list[dict]:
    """For objects of images that are labelled in full: the only one of its category, or the leftmost."""
    full = {image["id"] for image in data["images"][::2] if "labelled" not in image}
    members = defaultdict(list)
    for annotation in data["annotations"]:
        if annotation["image_id"] in full and not annotation["iscrowd"]:
            members[annotation["image_id"], annotation["category_id"]].append(annotation)
    refs = []
    for (_, category_id), group in members.items():
        name = CATEGORIES[category_id - 1]
        first, *others = sorted(group, key=lambda a: a["bbox"][0] + a["bbox"][2] / 2)
        if not others:
            refs.append(_ref(len(refs), first, [f"The {name}.", f"find the {name}"]))
        elif first["bbox"][0] + 40 < min(a["bbox"][0] for a in others) and first["bbox"][0] < 80:
            refs.append(_ref(len(refs), first, [f"the leftmost {name} "]))
    return refs


def _ref(number: int, annotation: dict, texts: list[str]) -> dict:
    sentences = [
        {"sent_id": 10 * number + i, "raw": text, "sent": text.lower(), "tokens": text.split()}
        for i, text in enumerate(texts)
    ]
    return {
        "ref_id": number,
        "ann_id": annotation["id"],
        "image_id": annotation["image_id"],
        "category_id": annotation["category_id"],
        "split": "train",
        "file_name": "of no use",
        "sent_ids": [sentence["sent_id"] for sentence in sentences],
        "sentences": sentences,
    }
