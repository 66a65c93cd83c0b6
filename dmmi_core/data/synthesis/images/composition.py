"""Pictures to learn from: a view of a photograph, two side by side, or with objects pasted in."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.data.samples import read_image
from dmmi_core.data.synthesis.images.augmentation import random_view, warp
from dmmi_core.data.synthesis.scenes import Scene, SceneObject
from dmmi_core.data.synthesis.view import MIN_VISIBLE, View, ViewedObject, view_scene

PASTED_SIDE = 0.18, 0.6
"""Longer side of a pasted object, as a fraction of the picture."""
CUT_OUT_QUALITY = 0.9
"""IoU to be expected of an object's mask, from which on it can be pasted elsewhere."""
SOFT = 1.0
"""Standard deviation of the blur of a pasted object's edge, in pixels."""


@dataclass(frozen=True)
class Picture:
    """Image uint8 RGB (S, S, 3) and what is known of it."""

    image: np.ndarray
    view: View

    @property
    def size(self) -> int:
        return self.image.shape[0]


def photograph(scene: Scene, images: Path, size: int, rng: np.random.Generator) -> Picture:
    matrix = random_view(scene, size, rng)
    image = warp(read_image(images / scene.image), matrix, size)
    return Picture(image, view_scene(scene, matrix, size))


def side_by_side(first: Scene, second: Scene, images: Path, size: int, rng: np.random.Generator) -> Picture:
    """Two photographs, each in one half of the picture: left and right, or one over the other."""
    upright = rng.random() < 0.75
    cut = int(size * rng.uniform(0.4, 0.6))
    windows = (
        ((0, 0, cut, size), (cut, 0, size, size)) if upright else ((0, 0, size, cut), (0, cut, size, size))
    )
    image, views = np.empty((size, size, 3), np.uint8), []
    for scene, window in zip((first, second), windows, strict=True):
        left, top, right, bottom = window
        matrix = random_view(scene, size, rng, window)
        warped = warp(read_image(images / scene.image), matrix, size)
        image[top:bottom, left:right] = warped[top:bottom, left:right]
        views.append(view_scene(scene, matrix, size, window))
    return Picture(image, _joined(*views))


def _joined(first: View, second: View) -> View:
    """A category is complete where it is in both; a caption stays where it is false of the other half."""
    shift = len(first.objects)
    phrases = [item for item in first.phrases if contradicts(second, item[0])]
    phrases += [
        (phrase, tuple(i + shift for i in targets))
        for phrase, targets in second.phrases
        if contradicts(first, phrase)
    ]
    return View(first.objects + second.objects, first.complete & second.complete, tuple(phrases))


def contradicts(view: View, phrase) -> bool:
    """Whether a caption of another photograph names something that this view is known to lack."""
    return any(view.lacks(category) for category in phrase.mentions)


def paste(
    picture: Picture, scene: Scene, item: SceneObject, images: Path, rng: np.random.Generator
) -> Picture:
    """The picture with an object of another photograph in it, of random place and size, perhaps mirrored."""
    matrix = _placed(item, picture.size, rng)
    alone = replace(scene, objects=(item,), complete=frozenset(), phrases=())
    (new,) = view_scene(alone, matrix, picture.size).objects
    alpha = cv2.GaussianBlur(new.mask.astype(np.float32), (0, 0), SOFT)[..., None]
    warped = warp(read_image(images / scene.image), matrix, picture.size)
    image = picture.image + alpha * (warped.astype(np.float32) - picture.image)
    return Picture(image.astype(np.uint8), _with(picture.view, new))


def _placed(item: SceneObject, size: int, rng: np.random.Generator) -> np.ndarray:
    """Affine map (2, 3) that takes the object to a random place wholly inside the view."""
    x, y, width, height = item.box
    scale = size * rng.uniform(*PASTED_SIDE) / max(width, height)
    scale = min(scale, 1.5)
    left = rng.uniform(0, size - scale * width)
    top = rng.uniform(0, size - scale * height)
    matrix = np.array([[scale, 0, left - scale * x], [0, scale, top - scale * y]])
    if rng.random() < 0.5:
        matrix[0] = [-scale, 0, left + scale * (x + width)]
    return matrix


def _with(view: View, new: ViewedObject) -> View:
    """Objects that the new one hides too much of are neither surely there nor surely gone."""
    objects = tuple(_behind(item, new) for item in view.objects)
    hidden = {
        item.category
        for item, before in zip(objects, view.objects, strict=True)
        if item.area < MIN_VISIBLE * before.area
    }
    phrases = tuple((p, t) for p, t in view.phrases if p.category not in hidden | {new.category})
    return View((*objects, new), view.complete - hidden, phrases)


def _behind(item: ViewedObject, new: ViewedObject) -> ViewedObject:
    """What is left to see of an object behind a new one."""
    if item.mask is None:
        return replace(item, area=item.area - min(item.area, _overlap(item.box, new.box)))
    mask = item.mask & ~new.mask
    if not (item.mask & new.mask).any() or not mask.any():
        return replace(item, mask=mask, area=float(mask.mean()))
    box = bounds(mask)
    worn = item.garments and {name: garment & mask for name, garment in item.garments.items()}
    return replace(
        item,
        mask=mask,
        area=float(mask.mean()),
        box=box,
        centre=((box[0] + box[2]) / 2, (box[1] + box[3]) / 2),
        garments=worn,
    )


def bounds(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a mask's box as fractions of its size."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    size = mask.shape[0]
    return columns[0] / size, rows[0] / size, (columns[-1] + 1) / size, (rows[-1] + 1) / size


def _overlap(a: tuple, b: tuple) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def cutouts(scenes: Iterable[Scene]) -> dict[str, list[tuple[Scene, SceneObject]]]:
    """For each category the objects that can be pasted elsewhere: well cut out, seen whole, no slivers."""
    found: dict[str, list[tuple[Scene, SceneObject]]] = {}
    for scene in scenes:
        for item in scene.objects:
            if _can_be_cut_out(item, scene):
                found.setdefault(item.category, []).append((scene, item))
    return found


def _can_be_cut_out(item: SceneObject, scene: Scene) -> bool:
    x, y, width, height = item.box
    inside = min(x, y, scene.width - x - width, scene.height - y - height) > 2
    return (
        item.polygons is not None
        and item.quality >= CUT_OUT_QUALITY
        and inside
        and min(width, height) > 12
        and width * height > 0.01 * (scene.width * scene.height)
    )
