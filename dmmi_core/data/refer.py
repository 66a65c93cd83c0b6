"""Reader of RefCOCO, RefCOCO+, RefCOCOg, Ref-ZOM and gRefCOCO: a refs file and its instances.json."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dmmi_core.data.coco import instances_errors, read_instances
from dmmi_core.data.left_out import BAD_SHARE, LeftOut
from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.data.safe_pickle import read_plain_pickle
from dmmi_core.data.samples import Sample, coco_segmentation, kind_of
from dmmi_core.errors import InputError, one_line

logger = logging.getLogger(__name__)
EXAMPLES = 3
NO_TARGET = -1
"""Annotation id of gRefCOCO and Ref-ZOM for "no target"."""


def read_refer(
    refs: str | Path, annotations: str | Path, split: str, *, bad_share: float = BAD_SHARE
) -> PackedSamples:
    """Return one sample for each sentence of the refs in `split`; the sentences of a ref are a group.

    A ref has no annotation (zero), one or several. A ref whose image or annotation is not in the instances
    file is left out; one warning counts them. Another counts the refs that are damaged, or whose annotations
    are; they are left out too, up to `bad_share` of all. Raises InputError.
    """
    entries = _read_split(refs, split)
    with instances_errors(annotations):
        instances = read_instances(annotations)
        images, outlines = instances.images_by_id(), instances.segmentations_by_id()
    lacking: list[str] = []
    left_out = LeftOut("ref", bad_share)
    samples = PackedSamples.pack(_samples(entries, images, outlines, lacking, left_out))
    left_out.report(refs, len(entries))
    if lacking:
        logger.warning(
            "%s: %d of the %d refs of %s are left out, since %s has not all that they refer to (%s); "
            "use the instances file that belongs to the refs",
            refs,
            len(lacking),
            len(entries),
            split,
            annotations,
            ", ".join(lacking[:EXAMPLES]) + ", ..." * (len(lacking) > EXAMPLES),
        )
    if not len(samples):
        raise InputError(
            f"no sentence of split {split!r} of {refs} is about anything in {annotations}; "
            "use the instances file that belongs to the refs"
        )
    return samples


def in_split(split: str, given: str) -> bool:
    """Return whether a ref with split `given` belongs to `split`; testAB belongs to testA, testB and test."""
    if split in ("testA", "testB", "testC"):
        return given.startswith("test") and split[-1] in given[4:]
    return "test" in given if split == "test" else given == split


def _read_split(path: str | Path, split: str) -> list[dict]:
    refs = _read_json(path) if Path(path).suffix == ".json" else read_plain_pickle(path)
    if not isinstance(refs, list) or not all(
        isinstance(ref, dict) and isinstance(ref.get("split"), str) for ref in refs
    ):
        raise InputError(f"{path} is not a refs file, a list of refs that each name their split")
    chosen = [ref for ref in refs if in_split(split, ref["split"])]
    if not chosen:
        known = ", ".join(sorted({ref["split"] for ref in refs})) or "none"
        raise InputError(f"{path} has no split {split!r}; it has: {known}")
    return chosen


def _read_json(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {one_line(error)}") from error


def _samples(
    entries: list[dict],
    images: dict[int, dict],
    outlines: dict[int, list | dict],
    lacking: list[str],
    left_out: LeftOut,
) -> Iterator[tuple[int, Sample]]:
    """Yield samples with the number of their ref.

    Appends to `lacking` what the instances file lacks, and adds damaged refs to `left_out`.
    """
    for number, ref in enumerate(entries):
        name = f"ref {ref.get('ref_id')}"
        try:
            ids = _annotation_ids(ref)
            wanted = [f"annotation {i}" for i in ids if not outlines.get(i)]
            if ref["image_id"] not in images:
                wanted.append(f"image {ref['image_id']}")
            if wanted:
                lacking.append(f"{name}: {wanted[0]}")
                continue
            samples = _ref_samples(ref, images[ref["image_id"]], {i: outlines[i] for i in ids})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            left_out.add(str(ref.get("ref_id")), error)
        else:
            yield from ((number, sample) for sample in samples)


def _annotation_ids(ref: dict) -> list[int]:
    """Return the ref's annotation ids, each once: a list in Ref-ZOM and gRefCOCO, else a single id."""
    if ref.get("source") == "zero":
        return []
    ids = ref["ann_id"]
    ids = dict.fromkeys(ids if isinstance(ids, (list, tuple)) else [ids])
    return [i for i in ids if i != NO_TARGET]


def _ref_samples(ref: dict, image: dict, outlines: dict[int, list | dict]) -> list[Sample]:
    """Return the samples of a ref whose annotations are `outlines`, by id."""
    # The file name comes from the instances file: RefCOCO's refs name crops.
    name, height, width = image["file_name"], image["height"], image["width"]
    segmentations = tuple(_segmentation(*item, height, width) for item in outlines.items())
    kind = kind_of(len(segmentations))
    texts = [sentence.get("raw") or sentence["sent"] for sentence in ref["sentences"]]
    return [Sample(name, text, kind, height, width, segmentations) for text in texts]


def _segmentation(annotation: int, outline: list | dict, height: int, width: int) -> list | dict:
    """Return the segmentation of an annotation. Raises InputError that names it."""
    try:
        if segmentation := coco_segmentation(outline, height, width):
            return segmentation
    except InputError as error:
        raise InputError(f"annotation {annotation}: {error}") from error
    raise InputError(f"annotation {annotation}: no polygon of its segmentation has three points")
