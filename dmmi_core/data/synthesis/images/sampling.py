"""Sampling of training images that hold a category, or lack it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dmmi_core.data.lexicon.names import look_alikes
from dmmi_core.data.synthesis.images.augmentation import jitter
from dmmi_core.data.synthesis.images.categories import CategoryIndex
from dmmi_core.data.synthesis.images.composition import (
    AnnotatedImage,
    cutouts,
    paste,
    random_crop,
    side_by_side,
)
from dmmi_core.data.synthesis.random import pick
from dmmi_core.data.synthesis.scenes import Scene, SceneObject

LAYOUTS = {"single": 0.55, "pasted": 0.25, "side by side": 0.2}
LAYOUTS_CLOTHED = {"single": 0.25, "pasted": 0.2, "side by side": 0.55}
"""Layouts of images with annotated clothes; these show one person, and clothes tell apart only several."""
RICH_SHARE = {"one": 0.6, "many": 0.85}
"""Share of the draws among images with captions or clothes ("one"), or with several objects ("many")."""
LOOK_ALIKE_SHARE = 0.5
"""Share of look-alikes among the images and objects of other categories."""
MAX_PASTED = 3
TRAINING_POWER = 0.5
"""As CATEGORY_POWER; lower, so that rare categories are learned from their few images."""


class ImageSampler:
    """A sampler of composed images, which come from `scenes` and from nothing else."""

    def __init__(self, scenes: list[Scene], images: str | Path, size: int):
        self.scenes, self.images, self.size = scenes, Path(images), size
        self.categories = CategoryIndex(scenes, TRAINING_POWER)
        self.cutouts = cutouts(scenes)
        self.clothed = {c: [pair for pair in pairs if pair[1].garments] for c, pairs in self.cutouts.items()}
        self.several = {c: [i for i in found if scenes[i].count(c) > 1] for c, found in self.present.items()}
        self.told = {c: [i for i in found if _tells_apart(scenes[i], c)] for c, found in self.present.items()}
        self.dressed = [scene for scene in scenes if _is_clothed(scene)]
        self.like = {c: self._with_look_alikes(c) for c in self.absent}

    @property
    def present(self) -> dict[str, list[int]]:
        return self.categories.present

    @property
    def absent(self) -> dict[str, list[int]]:
        return self.categories.absent

    def sample(self, category: str, kind: str, rng: np.random.Generator) -> AnnotatedImage | None:
        """Compose an image to show a category once ("one"), several times ("many") or not at all ("zero").

        The counts are what the image aims at, not a promise. Returns None if the draw leads to no image.
        """
        scene = self._scene(category, kind, rng)
        if scene is None:
            return None
        shares = LAYOUTS_CLOTHED if _is_clothed(scene) else LAYOUTS
        layout = rng.choice(list(shares), p=list(shares.values()))
        layouts: dict[str, Callable[..., AnnotatedImage | None]] = {
            "single": self._single,
            "pasted": self._pasted,
            "side by side": self._side_by_side,
        }
        image = layouts[layout](scene, category, kind, rng)
        return image and AnnotatedImage(jitter(image.pixels, rng), image.view)

    def _single(self, scene: Scene, category: str, kind: str, rng: np.random.Generator) -> AnnotatedImage:
        return random_crop(scene, self.images, self.size, rng)

    def _side_by_side(
        self, scene: Scene, category: str, kind: str, rng: np.random.Generator
    ) -> AnnotatedImage | None:
        other_kind = "zero" if kind == "one" and rng.random() < 0.5 else kind
        other: Scene | None
        if _is_clothed(scene) and rng.random() < 0.8:
            other = pick(rng, self.dressed)
        else:
            other = self._scene(category, other_kind, rng)
        if other is None or other is scene:
            return None
        first, second = ((scene, other)[i] for i in rng.permutation(2))
        return side_by_side(first, second, self.images, self.size, rng)

    def _pasted(self, scene: Scene, category: str, kind: str, rng: np.random.Generator) -> AnnotatedImage:
        if not _is_clothed(scene) and rng.random() < 0.6:
            scene = self._scene(category, "zero", rng) or scene
        image = random_crop(scene, self.images, self.size, rng)
        for number in range(rng.integers(1, MAX_PASTED + 1)):
            needed = kind != "zero" and (kind == "many" or number == 0)
            source = self._cutout(category, scene, needed=needed, never=kind == "zero", rng=rng)
            if source is not None:
                source_scene, item = source
                image = paste(image, source_scene, item, self.images, rng)
        return image

    def _scene(self, category: str, kind: str, rng: np.random.Generator) -> Scene | None:
        if kind == "zero":
            found = self.like[category] if rng.random() < LOOK_ALIKE_SHARE else []
            found = found or self.absent[category]
        else:
            rich = (self.several if kind == "many" else self.told).get(category, [])
            found = rich if rng.random() < RICH_SHARE[kind] else []
            found = found or self.present.get(category, [])
        return self.scenes[pick(rng, found)] if found else None

    def _cutout(
        self, category: str, base: Scene, *, needed: bool, never: bool, rng: np.random.Generator
    ) -> tuple[Scene, SceneObject] | None:
        """Return an object to paste with its scene: of the category, of a look-alike, or of any category.

        `needed`: the object must be of the category. `never`: it must not.
        """
        wanted = category
        if not needed:
            like = []
            if rng.random() < LOOK_ALIKE_SHARE:
                like = sorted(look_alikes(category) & self.cutouts.keys())
            choices = like or [c for c in self.cutouts if not never or c != category]
            wanted = pick(rng, choices) if choices else category
        if never and wanted == category:
            return None
        found = self.clothed.get(wanted) if _is_clothed(base) else None
        found = found or self.cutouts.get(wanted)
        return pick(rng, found) if found else None

    def _with_look_alikes(self, category: str) -> list[int]:
        like = look_alikes(category)
        return [i for i in self.absent[category] if any(o.category in like for o in self.scenes[i].objects)]


def _tells_apart(scene: Scene, category: str) -> bool:
    """Return whether captions or clothes tell the objects of a category apart."""
    return _is_clothed(scene) or any(phrase.category == category for phrase in scene.phrases)


def _is_clothed(scene: Scene) -> bool:
    return any(item.garments for item in scene.objects)
