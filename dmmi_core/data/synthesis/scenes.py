"""Photographs with their objects, read from COCO-style instance files."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from dmmi_core.data.samples import coco_segmentation, decode_segmentation
from dmmi_core.data.synthesis.captions import Phrase
from dmmi_core.errors import InputError

MASK_QUALITY = 0.75
"""IoU to be expected of a mask, from which on it is used."""
USUAL_FILL = 0.6
"""Share of its box that an object covers, where nothing tells."""
MOST_ALONE, MOST_PERSONS_ALONE = 8, 3
"""Objects of a category, in a photograph whose crowds are not known, above which there may be a crowd."""


@dataclass(frozen=True)
class SceneObject:
    """An object in pixels of the photograph; without polygons where only its box is known."""

    category: str
    box: tuple[float, float, float, float]
    """x, y, width, height."""
    polygons: tuple[np.ndarray, ...] | None = None
    """Each (N, 2), float32."""
    names: frozenset[str] = frozenset()
    """What else than its category it may be called for certain ("woman")."""
    garments: dict[str, tuple[np.ndarray, ...]] | None = None
    """Polygons of all that a person wears, where that is annotated."""
    quality: float = 1.0
    """IoU to be expected of the polygons; 1 where they are drawn by hand."""
    fill: float = 1.0
    """Share of its box that an object without polygons is taken to cover."""


@dataclass(frozen=True)
class Scene:
    """`complete` are the categories of which *every* object is listed.

    Only of those may an expression say "all", count, compare, or say that there is none.
    """

    image: str
    width: int
    height: int
    objects: tuple[SceneObject, ...]
    complete: frozenset[str]
    captions: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    """Captions that refer to all its objects of a category."""


def read_scenes(
    path: str | Path, further: Sequence[str | Path] = (), mask_quality: float = MASK_QUALITY
) -> list[Scene]:
    """Reads a COCO instances file; crowd regions are left out, and make their category incomplete.

    An image may say in `labelled` which categories were annotated ("all80", or names joined by "+";
    "one_person": a single one of the persons) and list the boxes of all persons in `person_boxes`.
    Without `labelled` all categories are taken to be, as in COCO.

    Files of `further` hold more `annotations` of the same images: with them all objects of all categories are
    known, other than in the images that a file lists in `not_covered`. Of crowds they tell nothing.

    An object may lack a segmentation, or have one with a `quality`, the IoU to be expected of it. Without
    one, and below `mask_quality`, its box alone is known.
    """
    try:
        data, more = _read_json(path), [_read_json(other) for other in further]
        names = {category["id"]: category["name"] for category in data["categories"]}
        everywhere = {image["id"] for image in data["images"]}
        covered = everywhere - set.intersection(everywhere, *(set(m.get("not_covered", ())) for m in more))
        annotations = defaultdict(list)
        for annotation in (a for part in (data, *more) for a in part["annotations"]):
            annotations[annotation["image_id"]].append(annotation)
        return [
            _scene(image, annotations[image["id"]], names, mask_quality, covered=image["id"] in covered)
            for image in data["images"]
        ]
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        files = " with ".join(map(str, (path, *further)))
        raise InputError(f"{files} is not a COCO instances file: {error!r}") from error


def is_validation(image: str, share: int) -> bool:
    """Whether a photograph is kept apart: one in `share`, fixed by its file name for ever."""
    return crc32(Path(image).name.encode()) % share == 0


def _read_json(path: str | Path) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _scene(
    image: dict, annotations: list[dict], names: dict[int, str], mask_quality: float, *, covered: bool
) -> Scene:
    """`covered`: further annotations tell of all objects but those in crowds."""
    crowds = {names[a["category_id"]] for a in annotations if a.get("iscrowd")}
    objects = [
        _object(a, names[a["category_id"]], image, mask_quality) for a in annotations if not a.get("iscrowd")
    ]
    labelled = image.get("labelled", "all80")
    if labelled == "one_person":
        annotated = {"person"}
        objects += [] if covered else _boxes_only(image["person_boxes"], objects)
    else:
        annotated = set(names.values()) if labelled == "all80" else set(labelled.split("+"))
    if covered:
        crowds |= _perhaps_crowds(objects, annotated if labelled != "one_person" else set())
        annotated = set(names.values())
    return Scene(
        image["file_name"],
        image["width"],
        image["height"],
        tuple(objects),
        frozenset(annotated - crowds),
        tuple(image.get("captions", ())),
    )


def _perhaps_crowds(objects: list[SceneObject], known: set[str]) -> set[str]:
    """Categories of which a crowd may be there, besides the `known` ones."""
    counts = Counter(item.category for item in objects if item.category not in known)
    return {c for c, n in counts.items() if n > (MOST_PERSONS_ALONE if c == "person" else MOST_ALONE)}


def _object(annotation: dict, category: str, image: dict, mask_quality: float) -> SceneObject:
    quality = annotation.get("quality", 1.0)
    segmentation = annotation.get("segmentation", []) if quality >= mask_quality else []
    polygons, (x, y, width, height) = _polygons(segmentation, image), annotation["bbox"]
    around = max(width * height, 1e-6)
    fill = 1.0 if polygons else min(annotation.get("area", USUAL_FILL * around) / around, 1.0)
    return SceneObject(category, (x, y, width, height), polygons, quality=quality, fill=fill)


def _polygons(segmentation: list | dict, image: dict) -> tuple[np.ndarray, ...] | None:
    """The outlines of a COCO segmentation, for an RLE without its holes; None where it has no area."""
    height, width = image["height"], image["width"]
    segmentation = coco_segmentation(segmentation, height, width)
    if isinstance(segmentation, dict):
        mask = decode_segmentation(segmentation, height, width).astype(np.uint8)
        outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        segmentation = [outline for outline in outlines if len(outline) > 2]
    return tuple(np.array(polygon, np.float32).reshape(-1, 2) for polygon in segmentation) or None


def _boxes_only(boxes: list, masked: list[SceneObject]) -> list[SceneObject]:
    """The persons of `boxes` other than the one that has a mask."""
    rest = [SceneObject("person", tuple(box)) for box in boxes]
    for known in (item for item in masked if item.category == "person"):
        rest.remove(min(rest, key=lambda other: np.abs(np.subtract(other.box, known.box)).sum()))
    return rest


@dataclass(frozen=True)
class ViewedObject:
    """An object as seen in a view; coordinates and areas are fractions of the view, in [0, 1]."""

    category: str
    centre: tuple[float, float]
    """x, y of the middle of its box."""
    area: float
    """Share of the view that its mask covers or, without one, its box times `SceneObject.fill`."""
    mask: np.ndarray | None
    """Bool (S, S), or None where only the box is known."""
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    """Left, top, right, bottom."""
    names: frozenset[str] = frozenset()
    garments: dict[str, np.ndarray] | None = None
    """Masks, bool (S, S)."""


@dataclass(frozen=True)
class View:
    """A scene through an affine map into a square: what augmentation leaves of it."""

    objects: tuple[ViewedObject, ...]
    complete: frozenset[str]
    phrases: tuple[tuple[Phrase, tuple[int, ...]], ...] = ()
    """Captions with the indices of the objects that they refer to."""
    masks_only: bool = False
    """Whether expressions may refer to objects with masks alone, as where a mask is the measure."""

    def members(self, category: str) -> tuple[int, ...]:
        return tuple(i for i, item in enumerate(self.objects) if item.category == category)

    def lacks(self, category: str) -> bool:
        """Whether there is none for certain."""
        return category in self.complete and not self.members(category)


MIN_VISIBLE = 0.4
"""An object cut off by more than this is neither surely there nor surely gone: its category is left out."""


def view_scene(scene: Scene, matrix: np.ndarray, size: int, window: tuple | None = None) -> View:
    """What a size x size view shows; `matrix` (2, 3) takes pixels of the photograph to pixels of the view.

    `window` (left, top, right, bottom) is the part of the view that the photograph fills, if not all of it.
    """
    window = window or (0, 0, size, size)
    scale = abs(np.linalg.det(matrix[:, :2]))
    objects, unsure = [], set()
    for item in scene.objects:
        corners = _transform(_box_corners(item.box), matrix)
        low, high = np.clip([corners.min(axis=0), corners.max(axis=0)], window[:2], window[2:])
        visible = np.prod(high - low) / max(item.box[2] * item.box[3] * scale, 1e-6)
        if visible <= 0:
            continue
        if visible < MIN_VISIBLE:
            unsure.add(item.category)
            continue
        objects.append(_viewed(item, matrix, size, window, (low / size, high / size)))
    complete = scene.complete - unsure
    view = View(tuple(objects), complete)
    referring = ((phrase, view.members(phrase.category)) for phrase in scene.phrases)
    phrases = tuple(
        (p, targets) for p, targets in referring if p.category in complete and p.fits(len(targets))
    )
    return replace(view, phrases=phrases)


def _viewed(item: SceneObject, matrix: np.ndarray, size: int, window: tuple, box: tuple) -> ViewedObject:
    mask = None if item.polygons is None else _rasterize(item.polygons, matrix, size, window)
    (left, top), (right, bottom) = box
    area = item.fill * (right - left) * (bottom - top) if mask is None else mask.mean()
    worn = item.garments and {
        name: _rasterize(polygons, matrix, size, window) for name, polygons in item.garments.items()
    }
    return ViewedObject(
        item.category,
        ((left + right) / 2, (top + bottom) / 2),
        float(area),
        mask,
        (left, top, right, bottom),
        item.names,
        worn,
    )


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _box_corners(box: tuple) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])


def _rasterize(polygons: tuple[np.ndarray, ...], matrix: np.ndarray, size: int, window: tuple) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    for polygon in polygons:  # one by one: fillPoly of several would cut out where they overlap
        cv2.fillPoly(canvas, [np.round(_transform(polygon, matrix)).astype(np.int32)], 1)
    left, top, right, bottom = window
    inside = np.zeros((size, size), bool)
    inside[top:bottom, left:right] = canvas[top:bottom, left:right]
    return inside
