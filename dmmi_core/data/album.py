"""Puts together pictures that hold a category, or lack it."""

from pathlib import Path

import numpy as np

from dmmi_core.data.augmentation import jitter
from dmmi_core.data.categories import CategoryIndex
from dmmi_core.data.nouns import look_alikes
from dmmi_core.data.pictures import Picture, cutouts, paste, photograph, side_by_side
from dmmi_core.data.scenes import Scene

LAYOUTS = {"single": 0.6, "pasted": 0.25, "side by side": 0.15}
LIKE_SHARE = 0.5
"""Of the photographs and objects that are not what is asked for: those chosen because they look like it."""
MOST_PASTED = 3


class Album:
    """All pictures come from `scenes` and from nothing else."""

    def __init__(self, scenes: list[Scene], images: str | Path, size: int):
        self.scenes, self.images, self.size = scenes, Path(images), size
        self.categories = CategoryIndex(scenes)
        self.cutouts = cutouts(scenes)
        self.clothed = {c: [pair for pair in pairs if pair[1].garments] for c, pairs in self.cutouts.items()}
        self.several = {
            c: [i for i in found if _number(scenes[i], c) > 1] for c, found in self.present.items()
        }
        self.like = {c: self._with_look_alikes(c) for c in self.absent}

    @property
    def present(self) -> dict[str, list[int]]:
        return self.categories.present

    @property
    def absent(self) -> dict[str, list[int]]:
        return self.categories.absent

    def picture(self, category: str, kind: str, rng: np.random.Generator) -> Picture | None:
        """One that is to hold `category` once ("one"), more often ("many"), or not at all ("zero")."""
        layout = rng.choice(list(LAYOUTS), p=list(LAYOUTS.values()))
        if layout == "side by side":
            made = self._side_by_side(category, kind, rng)
        else:
            made = (
                self._pasted(category, kind, rng) if layout == "pasted" else self._single(category, kind, rng)
            )
        return made and Picture(jitter(made.image, rng), made.view)

    def _single(self, category: str, kind: str, rng: np.random.Generator) -> Picture | None:
        scene = self._scene(category, kind, rng)
        return scene and photograph(scene, self.images, self.size, rng)

    def _side_by_side(self, category: str, kind: str, rng: np.random.Generator) -> Picture | None:
        first = self._scene(category, kind, rng)
        second = self._scene(
            category, kind if kind != "one" or rng.random() < 0.5 else "zero", rng, beside=first
        )
        if first is None or second is None or first is second:
            return None
        if rng.random() < 0.5:
            first, second = second, first
        return side_by_side(first, second, self.images, self.size, rng)

    def _pasted(self, category: str, kind: str, rng: np.random.Generator) -> Picture | None:
        base = self._scene(category, kind if rng.random() < 0.4 else "zero", rng)
        if base is None:
            return None
        picture = photograph(base, self.images, self.size, rng)
        for number in range(rng.integers(1, MOST_PASTED + 1)):
            needed = kind != "zero" and (kind == "many" or number == 0)
            source = self._cutout(category, base, needed=needed, never=kind == "zero", rng=rng)
            if source is not None:
                picture = paste(picture, *source, self.images, rng)
        return picture

    def _scene(
        self, category: str, kind: str, rng: np.random.Generator, beside: Scene | None = None
    ) -> Scene | None:
        if kind == "zero":
            found = self.like[category] if rng.random() < LIKE_SHARE else []
            found = found or self.absent[category]
        else:
            found = self.several.get(category) if kind == "many" and rng.random() < 0.85 else []
            found = found or self.present.get(category, [])
        if beside is not None and _clothed(beside) and rng.random() < 0.8:
            found = [i for i in found if _clothed(self.scenes[i])] or found
        return self.scenes[found[rng.integers(len(found))]] if found else None

    def _cutout(self, category: str, base: Scene, *, needed: bool, never: bool, rng: np.random.Generator):
        """An object to paste: of the category, of one that looks like it, or any."""
        wanted = category
        if not needed:
            like = sorted(look_alikes(category) & self.cutouts.keys()) if rng.random() < LIKE_SHARE else []
            choices = like or [c for c in self.cutouts if not never or c != category]
            wanted = choices[rng.integers(len(choices))] if choices else category
        if never and wanted == category:
            return None
        found = self.clothed.get(wanted) if _clothed(base) else None
        found = found or self.cutouts.get(wanted)
        return found[rng.integers(len(found))] if found else None

    def _with_look_alikes(self, category: str) -> list[int]:
        like = look_alikes(category)
        return [i for i in self.absent[category] if any(o.category in like for o in self.scenes[i].objects)]


def _number(scene: Scene, category: str) -> int:
    return sum(item.category == category and item.polygons is not None for item in scene.objects)


def _clothed(scene: Scene) -> bool:
    return any(item.garments for item in scene.objects)
