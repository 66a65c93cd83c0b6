"""Composition of training images: a random crop, two crops side by side, or a crop with pasted objects."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.data.annotated_image import read_annotated_image
from dmmi_core.data.synthesis.affine_view import MIN_VISIBLE, Box, View, ViewedObject, view_scene
from dmmi_core.data.synthesis.images.augmentation import random_view, warp
from dmmi_core.data.synthesis.scenes import Phrase, Scene, SceneObject

PASTED_SIDE = 0.18, 0.6
"""Range of the longer side of a pasted object, as a fraction of the image."""
CUT_OUT_QUALITY = 0.9
"""Least expected IoU of the mask of an object that is pasted elsewhere."""
EDGE_BLUR = 1.0
"""Standard deviation of the blur of a pasted object's edge, in pixels."""


@dataclass(frozen=True)
class AnnotatedImage:
    """A composed image and the view that describes its objects."""

    pixels: np.ndarray
    """uint8 RGB (S, S, 3)."""
    view: View

    @property
    def size(self) -> int:
        return self.pixels.shape[0]


def read_pixels(scene: Scene, images: Path) -> np.ndarray:
    """Return the image of a scene, uint8 RGB (H, W, 3). Raises InputError if it does not fit."""
    return read_annotated_image(images / scene.image, scene.height, scene.width)


def random_crop(scene: Scene, images: Path, size: int, rng: np.random.Generator) -> AnnotatedImage:
    """Return a random crop of an image; `images` is the folder that `scene.image` is relative to."""
    matrix = random_view(scene, size, rng)
    pixels = warp(read_pixels(scene, images), matrix, size)
    return AnnotatedImage(pixels, view_scene(scene, matrix, size))


def side_by_side(
    first: Scene, second: Scene, images: Path, size: int, rng: np.random.Generator
) -> AnnotatedImage:
    """Return random crops of two images next to each other, or one above the other."""
    upright = rng.random() < 0.75
    cut = int(size * rng.uniform(0.4, 0.6))
    windows = (
        ((0, 0, cut, size), (cut, 0, size, size)) if upright else ((0, 0, size, cut), (0, cut, size, size))
    )
    pixels, views = np.empty((size, size, 3), np.uint8), []
    for scene, window in zip((first, second), windows, strict=True):
        left, top, right, bottom = window
        matrix = random_view(scene, size, rng, window)
        warped = warp(read_pixels(scene, images), matrix, size)
        pixels[top:bottom, left:right] = warped[top:bottom, left:right]
        views.append(view_scene(scene, matrix, size, window))
    return AnnotatedImage(pixels, _joined(*views))


def _joined(first: View, second: View) -> View:
    """Return the view of both halves.

    A category is complete if it is in both halves. A caption stays if it is false of the other half.
    """
    shift = len(first.objects)
    phrases = [item for item in first.phrases if contradicts(second, item[0])]
    phrases += [
        (phrase, tuple(i + shift for i in targets))
        for phrase, targets in second.phrases
        if contradicts(first, phrase)
    ]
    return View(first.objects + second.objects, first.complete & second.complete, tuple(phrases))


def contradicts(view: View, phrase: Phrase) -> bool:
    """Return whether a caption of another image names a category that this view certainly lacks."""
    return any(view.lacks(category) for category in phrase.mentions)


def paste(
    image: AnnotatedImage, scene: Scene, item: SceneObject, images: Path, rng: np.random.Generator
) -> AnnotatedImage:
    """Paste an object of another image, which must have polygons, at a random place, size and reflection."""
    matrix = _random_placement(item, image.size, rng)
    alone = replace(scene, objects=(item,), complete=frozenset(), phrases=())
    (new,) = view_scene(alone, matrix, image.size).objects
    assert new.mask is not None
    alpha = cv2.GaussianBlur(new.mask.astype(np.float32), (0, 0), EDGE_BLUR)[..., None]
    warped = warp(read_pixels(scene, images), matrix, image.size)
    pixels = image.pixels + alpha * (warped.astype(np.float32) - image.pixels)
    return AnnotatedImage(pixels.astype(np.uint8), _with_pasted(image.view, new, new.mask))


def _random_placement(item: SceneObject, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return an affine map (2, 3) that moves the object to a random place inside the view."""
    x, y, width, height = item.box
    scale = size * rng.uniform(*PASTED_SIDE) / max(width, height)
    scale = min(scale, 1.5)
    left = rng.uniform(0, size - scale * width)
    top = rng.uniform(0, size - scale * height)
    matrix = np.array([[scale, 0, left - scale * x], [0, scale, top - scale * y]])
    if rng.random() < 0.5:
        matrix[0] = [-scale, 0, left + scale * (x + width)]
    return matrix


def _with_pasted(view: View, new: ViewedObject, new_mask: np.ndarray) -> View:
    """Return the view with a new object in front; categories of mostly hidden objects become incomplete."""
    objects = tuple(_occluded(item, new, new_mask) for item in view.objects)
    hidden = {
        item.category
        for item, before in zip(objects, view.objects, strict=True)
        if item.area < MIN_VISIBLE * before.area
    }
    phrases = tuple((p, t) for p, t in view.phrases if p.category not in hidden | {new.category})
    return View((*objects, new), view.complete - hidden, phrases)


def _occluded(item: ViewedObject, new: ViewedObject, new_mask: np.ndarray) -> ViewedObject:
    """Return the part of an object that stays visible behind a new one."""
    if item.mask is None:
        return replace(item, area=item.area - min(item.area, _overlap(item.box, new.box)))
    mask = item.mask & ~new_mask
    if not (item.mask & new_mask).any() or not mask.any():
        return replace(item, mask=mask, area=float(mask.mean()))
    box = mask_bounds(mask)
    garments = item.garments and {name: garment & mask for name, garment in item.garments.items()}
    return replace(
        item,
        mask=mask,
        area=float(mask.mean()),
        box=box,
        centre=((box[0] + box[2]) / 2, (box[1] + box[3]) / 2),
        garments=garments,
    )


def mask_bounds(mask: np.ndarray) -> Box:
    """Return the box of a mask, bool (S, S), as fractions of S."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    size = mask.shape[0]
    return columns[0] / size, rows[0] / size, (columns[-1] + 1) / size, (rows[-1] + 1) / size


def _overlap(a: Box, b: Box) -> float:
    """Return the area of the intersection of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def cutouts(scenes: Iterable[Scene]) -> dict[str, list[tuple[Scene, SceneObject]]]:
    """Return the objects that can be pasted, by category: well masked, wholly inside the image, not tiny."""
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
