"""Views: annotated images as seen through an affine map, with what is left of them after a crop."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from dmmi_core.data.synthesis.scenes import Phrase, Scene, SceneObject

MIN_VISIBLE = 0.4
"""Least visible share of an object's box. With less, it is neither surely present nor surely absent, and its
category becomes incomplete."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Window = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of a view."""


@dataclass(frozen=True)
class ViewedObject:
    """An object as seen in a view; coordinates and areas are fractions of the view, in [0, 1]."""

    category: str
    centre: tuple[float, float]
    """x, y of the middle of its box."""
    area: float
    """Share of the view that its mask covers or, without one, its box times `SceneObject.fill`."""
    mask: np.ndarray | None
    """Bool (S, S), or None if only the box is known."""
    box: Box = (0, 0, 1, 1)
    names: frozenset[str] = frozenset()
    garments: dict[str, np.ndarray] | None = None
    """Masks, bool (S, S)."""


@dataclass(frozen=True)
class View:
    """A scene through an affine map into a square."""

    objects: tuple[ViewedObject, ...]
    complete: frozenset[str]
    phrases: tuple[tuple[Phrase, tuple[int, ...]], ...] = ()
    """Captions with the indices of the objects that they refer to."""
    masks_only: bool = False
    """Whether expressions may refer only to objects with masks, as masks are needed to score them."""

    def members(self, category: str) -> tuple[int, ...]:
        """Return the indices of the objects of a category."""
        return tuple(i for i, item in enumerate(self.objects) if item.category == category)

    def lacks(self, category: str) -> bool:
        """Return whether the view certainly has no object of a category."""
        return category in self.complete and not self.members(category)


def view_scene(scene: Scene, matrix: np.ndarray, size: int, window: Window | None = None) -> View:
    """Return what a size x size view shows; `matrix` (2, 3) maps image pixels to view pixels.

    `window` is the part of the view that the image fills; default: all of it.
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
        objects.append(_viewed(item, matrix, size, window, (*(low / size), *(high / size))))
    complete = scene.complete - unsure
    view = View(tuple(objects), complete)
    referring = ((phrase, view.members(phrase.category)) for phrase in scene.phrases)
    phrases = tuple(
        (p, targets) for p, targets in referring if p.category in complete and p.fits(len(targets))
    )
    return replace(view, phrases=phrases)


def _viewed(item: SceneObject, matrix: np.ndarray, size: int, window: Window, box: Box) -> ViewedObject:
    mask = None if item.polygons is None else _rasterize(item.polygons, matrix, size, window)
    left, top, right, bottom = box
    area = item.fill * (right - left) * (bottom - top) if mask is None else mask.mean()
    garments = None
    if item.garments is not None:
        garments = {
            name: _rasterize(polygons, matrix, size, window) for name, polygons in item.garments.items()
        }
    centre = (left + right) / 2, (top + bottom) / 2
    return ViewedObject(item.category, centre, float(area), mask, box, item.names, garments)


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _box_corners(box: Box) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])


def _rasterize(polygons: tuple[np.ndarray, ...], matrix: np.ndarray, size: int, window: Window) -> np.ndarray:
    """Return the union of polygons in image pixels as a mask of the view, bool (size, size)."""
    canvas = np.zeros((size, size), np.uint8)
    for polygon in polygons:  # one at a time: fillPoly of several leaves a hole where they overlap
        cv2.fillPoly(canvas, [np.round(_transform(polygon, matrix)).astype(np.int32)], 1)
    left, top, right, bottom = window
    inside = np.zeros((size, size), bool)
    inside[top:bottom, left:right] = canvas[top:bottom, left:right]
    return inside
