"""The files of a built dataset, in the authors' format of Ref-ZOM and as samples files."""

import json
import pickle
from collections import defaultdict
from pathlib import Path

from dmmi_core.data.coco import CocoInstances
from dmmi_core.data.refzom.build import SPLITS, BuiltDataset
from dmmi_core.data.refzom.caption_candidates import write_candidates
from dmmi_core.data.refzom.category_terms import words_of
from dmmi_core.data.refzom.statistics import statistics_table
from dmmi_core.data.refzom.text_image_pairs import Pair
from dmmi_core.data.samples import Sample, write_samples
from dmmi_core.errors import InputError
from dmmi_core.files import replaced_folder

REFS, ANNOTATIONS, CANDIDATES, STATISTICS = (
    "refs(final).p",
    "instances.json",
    "candidates.jsonl",
    "statistics.md",
)


def require_writable(folder: Path) -> None:
    """Raise InputError if `folder` holds anything but an earlier output."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / REFS).is_file():
        raise InputError(f"{folder} is not empty and holds no earlier output; give a new folder")


def write_dataset(folder: Path, built: BuiltDataset, instances: CocoInstances) -> None:
    """Write all files, or none; the instances file keeps only the images that are used."""
    pairs = {split: built.pairs[split] for split in SPLITS}
    images, segmentations = instances.images_by_id(), instances.segmentations_by_id()
    files = {image_id: image["file_name"] for image_id, image in images.items()}
    with replaced_folder(folder) as new:
        _write_refs(new / REFS, pairs)
        _write_json(
            new / ANNOTATIONS, _subset(instances, {p.image_id for some in pairs.values() for p in some})
        )
        for split in SPLITS:
            samples = (_sample(pair, images[pair.image_id], segmentations) for pair in pairs[split])
            write_samples(new / f"{split}.jsonl", samples)
        write_candidates(new / CANDIDATES, built.candidates, files)
        (new / STATISTICS).write_text(statistics_table(built), encoding="utf-8")


def _write_refs(path: Path, pairs: dict[str, list[Pair]]) -> None:
    with open(path, "wb") as file:
        pickler = pickle.Pickler(file, protocol=2)
        pickler.fast = True  # else the bytes depend on which equal strings are one object
        pickler.dump(_refs(pairs))


def _refs(pairs: dict[str, list[Pair]]) -> list[dict]:
    """Return one ref for each set of targets, and one for each image's one-to-zero texts."""
    groups: dict[tuple, list[Pair]] = defaultdict(list)
    for split in SPLITS:
        for pair in pairs[split]:
            groups[split, pair.image_id, pair.targets].append(pair)
    refs: list[dict] = []
    sent_id = 0
    for (split, image_id, targets), group in groups.items():
        sentences = [_sentence(sent_id + i, pair.text) for i, pair in enumerate(group)]
        sent_id += len(group)
        refs.append(
            {
                "ref_id": len(refs),
                "ann_id": list(targets),
                "image_id": image_id,
                "split": split,
                "source": group[0].kind,
                "sentences": sentences,
                "sent_ids": [sentence["sent_id"] for sentence in sentences],
            }
        )
    return refs


def _sentence(sent_id: int, text: str) -> dict:
    tokens = words_of(text)
    return {"sent_id": sent_id, "raw": text, "tokens": tokens, "sent": " ".join(tokens)}


def _sample(pair: Pair, image: dict, segmentations: dict) -> Sample:
    parts = tuple(segmentations[target] for target in pair.targets)
    return Sample(image["file_name"], pair.text, pair.kind, image["height"], image["width"], parts)


def _subset(instances: CocoInstances, used: set[int]) -> dict:
    return instances.data | {
        "images": [image for image in instances.images if image["id"] in used],
        "annotations": [a for a in instances.annotations if a["image_id"] in used],
    }


def _write_json(path: Path, data: dict) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")
