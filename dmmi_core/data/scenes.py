"""Photographs with their objects, read from COCO-style instance files."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from dmmi_core.errors import InputError


@dataclass(frozen=True)
class SceneObject:
    """An object in pixels of the photograph; without polygons where only its box is known."""

    category: str
    box: tuple[float, float, float, float]
    """x, y, width, height."""
    polygons: tuple[np.ndarray, ...] | None = None
    """Each (N, 2), float32."""


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


def read_scenes(path: str | Path) -> list[Scene]:
    """Reads a COCO instances file; crowd regions are left out, and make their category incomplete.

    An image may say in `labelled` which categories were annotated ("all80", or names joined by "+";
    "one_person": a single one of the persons) and list the boxes of all persons in `person_boxes`.
    Without `labelled` all categories are taken to be, as in COCO.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        names = {category["id"]: category["name"] for category in data["categories"]}
        annotations = defaultdict(list)
        for annotation in data["annotations"]:
            annotations[annotation["image_id"]].append(annotation)
        return [_scene(image, annotations[image["id"]], names) for image in data["images"]]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a COCO instances file: {error!r}") from error


def is_validation(image: str, share: int) -> bool:
    """Whether a photograph is kept apart: one in `share`, fixed by its file name for ever."""
    return crc32(Path(image).name.encode()) % share == 0


def _scene(image: dict, annotations: list[dict], names: dict[int, str]) -> Scene:
    crowds = {names[a["category_id"]] for a in annotations if a.get("iscrowd")}
    objects = [
        SceneObject(names[a["category_id"]], tuple(a["bbox"]), _polygons(a["segmentation"]))
        for a in annotations
        if not a.get("iscrowd")
    ]
    labelled = image.get("labelled", "all80")
    if labelled == "one_person":
        objects += _boxes_only(image["person_boxes"], objects)
        annotated = {"person"}
    else:
        annotated = set(names.values()) if labelled == "all80" else set(labelled.split("+"))
    return Scene(
        image["file_name"], image["width"], image["height"], tuple(objects), frozenset(annotated - crowds)
    )


def _polygons(segmentation: list) -> tuple[np.ndarray, ...]:
    return tuple(np.array(polygon, np.float32).reshape(-1, 2) for polygon in segmentation)


def _boxes_only(boxes: list, masked: list[SceneObject]) -> list[SceneObject]:
    """The persons of `boxes` other than the one that has a mask."""
    rest = [SceneObject("person", tuple(box)) for box in boxes]
    for known in masked:
        rest.remove(min(rest, key=lambda other: np.abs(np.subtract(other.box, known.box)).sum()))
    return rest


@dataclass(frozen=True)
class ViewedObject:
    """An object as seen in a view; coordinates and areas are fractions of the view, in [0, 1]."""

    category: str
    centre: tuple[float, float]
    """x, y of the middle of its box."""
    area: float
    """Of its mask or, without one, of its box."""
    mask: np.ndarray | None
    """Bool (S, S), or None where only the box is known."""


@dataclass(frozen=True)
class View:
    """A scene through an affine map into a square: what augmentation leaves of it."""

    objects: tuple[ViewedObject, ...]
    complete: frozenset[str]


MIN_VISIBLE = 0.4
"""An object cut off by more than this is neither surely there nor surely gone: its category is left out."""


def view_scene(scene: Scene, matrix: np.ndarray, size: int) -> View:
    """What a size x size view shows; `matrix` (2, 3) takes pixels of the photograph to pixels of the view."""
    scale = abs(np.linalg.det(matrix[:, :2]))
    objects, unsure = [], set()
    for item in scene.objects:
        corners = _transform(_box_corners(item.box), matrix)
        low, high = np.clip([corners.min(axis=0), corners.max(axis=0)], 0, size)
        visible = np.prod(high - low) / max(item.box[2] * item.box[3] * scale, 1e-6)
        if visible <= 0:
            continue
        if visible < MIN_VISIBLE:
            unsure.add(item.category)
            continue
        mask = None if item.polygons is None else _rasterize(item.polygons, matrix, size)
        area = np.prod(high - low) / size**2 if mask is None else mask.mean()
        centre = (low + high) / 2 / size
        objects.append(ViewedObject(item.category, (centre[0], centre[1]), float(area), mask))
    return View(tuple(objects), scene.complete - unsure)


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _box_corners(box: tuple) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])


def _rasterize(polygons: tuple[np.ndarray, ...], matrix: np.ndarray, size: int) -> np.ndarray:
    canvas = np.zeros((size, size), np.uint8)
    for polygon in polygons:  # one by one: fillPoly of several would cut out where they overlap
        cv2.fillPoly(canvas, [np.round(_transform(polygon, matrix)).astype(np.int32)], 1)
    return canvas.astype(bool)
