"""Annotated images, read from COCO-style instances files."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.data.coco import CocoInstances, group_by_image, instances_errors, read_instances
from dmmi_core.data.left_out import BAD_SHARE, LeftOut
from dmmi_core.data.samples import coco_segmentation, decode_segmentation
from dmmi_core.errors import InputError

MASK_QUALITY = 0.75
"""Least expected IoU of a mask that is used."""
DEFAULT_FILL = 0.6
"""Share of its box that an object covers, if its annotation has no area."""
MOST_ALONE, MOST_PERSONS_ALONE = 8, 3
"""Most objects of a category (persons) in an image of unknown crowds; with more, there may be a crowd."""


@dataclass(frozen=True)
class Phrase:
    """A caption whose subject is a number of objects of one category."""

    text: str
    category: str
    number: int | None
    """None for several."""
    mentions: frozenset[str]
    """Categories that the caption names for certain."""

    def fits(self, count: int) -> bool:
        return count > 1 if self.number is None else count == self.number


@dataclass(frozen=True)
class SceneObject:
    """An object in image pixels; it has no polygons if only its box is known."""

    category: str
    box: tuple[float, float, float, float]
    """x, y, width, height."""
    polygons: tuple[np.ndarray, ...] | None = None
    """Each (N, 2), float32."""
    names: frozenset[str] = frozenset()
    """Other names that certainly fit the object ("woman")."""
    garments: dict[str, tuple[np.ndarray, ...]] | None = None
    """Polygons of all that a person wears, if annotated."""
    quality: float = 1.0
    """Expected IoU of the polygons; 1 for polygons drawn by hand."""
    fill: float = 1.0
    """Estimated share of the box that an object without polygons covers."""


@dataclass(frozen=True)
class Scene:
    """An annotated image.

    Every object of the `complete` categories is listed. Only within those do expressions say "all", count,
    compare or deny.
    """

    image: str
    """File name, or absolute path."""
    width: int
    height: int
    objects: tuple[SceneObject, ...]
    complete: frozenset[str]
    captions: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    """Captions that refer to all objects of their category."""

    def count(self, category: str) -> int:
        return sum(item.category == category for item in self.objects)


def read_scenes(
    path: str | Path,
    further: Sequence[str | Path] = (),
    mask_quality: float = MASK_QUALITY,
    *,
    bad_share: float = BAD_SHARE,
) -> list[Scene]:
    """Read a COCO instances file; crowd regions are left out and make their category incomplete.

    An image may say in `labelled` which categories were annotated ("all80", or names joined by "+";
    "one_person": a single one of the persons) and list the boxes of all persons in `person_boxes`.
    Without `labelled`, all categories count as annotated, as in COCO.

    The `further` files hold more `annotations` of the same images. Together the files list all objects of all
    categories, except in the images that a further file lists in `not_covered`. They do not list crowds.

    An object may lack a segmentation, or give the expected IoU of its segmentation as `quality`. Without a
    segmentation, or with a quality below `mask_quality`, only its box is used. Damaged annotations are left
    out, up to `bad_share` of all, and make their category incomplete in their image. Raises InputError.
    """
    left_out = LeftOut("annotation", bad_share)
    with instances_errors(path, *further):
        files = [read_instances(path), *map(read_instances, further)]
        scenes = make_scenes(files[0], files[1:], mask_quality, left_out=left_out)
        total = sum(len(file.annotations) for file in files)
    left_out.report(path, total)
    return scenes


def make_scenes(
    instances: CocoInstances,
    further: Sequence[CocoInstances] = (),
    mask_quality: float = MASK_QUALITY,
    *,
    left_out: LeftOut,
) -> list[Scene]:
    """Return the scenes of parsed instances files, in the order of the images; see `read_scenes`.

    Damaged annotations are added to `left_out`, by their ids.
    """
    everywhere = {image["id"] for image in instances.images}
    not_covered = [set(part.data.get("not_covered", ())) for part in further]
    covered = everywhere - set.intersection(everywhere, *not_covered)
    names = instances.category_names
    annotations = group_by_image(chain.from_iterable(part.annotations for part in (instances, *further)))
    return [
        _scene(image, annotations[image["id"]], names, mask_quality, left_out, covered=image["id"] in covered)
        for image in instances.images
    ]


def _scene(
    image: dict,
    annotations: list[dict],
    names: dict[int, str],
    mask_quality: float,
    left_out: LeftOut,
    *,
    covered: bool,
) -> Scene:
    """`covered`: further annotations list all objects outside crowds."""
    objects, incomplete = _objects(image, annotations, names, mask_quality, left_out)
    labelled = image.get("labelled", "all80")
    if labelled == "one_person":
        annotated = {"person"}
        objects += [] if covered else _persons_without_mask(image["person_boxes"], objects)
    else:
        annotated = set(names.values()) if labelled == "all80" else set(labelled.split("+"))
    if covered:
        incomplete |= _possible_crowds(objects, annotated if labelled != "one_person" else set())
        annotated = set(names.values())
    return Scene(
        image["file_name"],
        image["width"],
        image["height"],
        tuple(objects),
        frozenset(annotated - incomplete),
        tuple(image.get("captions", ())),
    )


def _objects(
    image: dict, annotations: list[dict], names: dict[int, str], mask_quality: float, left_out: LeftOut
) -> tuple[list[SceneObject], set[str]]:
    """Return the objects of an image, and the categories that have crowds or damaged annotations."""
    objects, incomplete = [], set()
    for annotation in annotations:
        category = names.get(annotation["category_id"])
        if category is not None and annotation.get("iscrowd"):
            incomplete.add(category)
            continue
        try:
            if category is None:
                raise InputError(f"there is no category {annotation['category_id']!r}")
            objects.append(_object(annotation, category, image, mask_quality))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            left_out.add(annotation.get("id"), error)
            incomplete |= set(names.values()) if category is None else {category}
    return objects, incomplete


def _possible_crowds(objects: list[SceneObject], known: set[str]) -> set[str]:
    """Return the categories, besides the `known` ones, with so many objects that there may be a crowd."""
    counts = Counter(item.category for item in objects if item.category not in known)
    return {c for c, n in counts.items() if n > (MOST_PERSONS_ALONE if c == "person" else MOST_ALONE)}


def _object(annotation: dict, category: str, image: dict, mask_quality: float) -> SceneObject:
    quality = annotation.get("quality", 1.0)
    segmentation = annotation.get("segmentation", []) if quality >= mask_quality else []
    polygons, (x, y, width, height) = _polygons(segmentation, image), annotation["bbox"]
    box_area = max(width * height, 1e-6)
    area = annotation.get("area", DEFAULT_FILL * box_area)
    if not math.isfinite(x + y + box_area + area + quality):
        raise InputError(f"its bbox {annotation['bbox']}, area {area} and quality {quality} must be numbers")
    fill = 1.0 if polygons else min(area / box_area, 1.0)
    return SceneObject(category, (x, y, width, height), polygons, quality=quality, fill=fill)


def _polygons(segmentation: list | dict, image: dict) -> tuple[np.ndarray, ...] | None:
    """Return the outlines of a COCO segmentation, an RLE's without holes; None if it has no area."""
    height, width = image["height"], image["width"]
    segmentation = coco_segmentation(segmentation, height, width)
    if isinstance(segmentation, dict):
        mask = decode_segmentation(segmentation, height, width).astype(np.uint8)
        outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        segmentation = [outline for outline in outlines if len(outline) > 2]
    return tuple(np.array(polygon, np.float32).reshape(-1, 2) for polygon in segmentation) or None


def _persons_without_mask(boxes: list, masked: list[SceneObject]) -> list[SceneObject]:
    """Return the persons of `boxes` other than the ones that have a mask."""
    rest = [SceneObject("person", tuple(box)) for box in boxes]
    for known in (item for item in masked if item.category == "person"):
        rest.remove(min(rest, key=lambda other: np.abs(np.subtract(other.box, known.box)).sum()))
    return rest
