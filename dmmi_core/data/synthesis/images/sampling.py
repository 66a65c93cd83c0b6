"""Puts together pictures that hold a category, or lack it."""

from pathlib import Path

import numpy as np

from dmmi_core.data.lexicon.names import look_alikes
from dmmi_core.data.synthesis.images.augmentation import jitter
from dmmi_core.data.synthesis.images.categories import CategoryIndex
from dmmi_core.data.synthesis.images.composition import Picture, cutouts, paste, photograph, side_by_side
from dmmi_core.data.synthesis.random import pick
from dmmi_core.data.synthesis.scenes import Scene

LAYOUTS = {"single": 0.55, "pasted": 0.25, "side by side": 0.2}
LAYOUTS_CLOTHED = {"single": 0.25, "pasted": 0.2, "side by side": 0.55}
"""Of photographs of one person, whose clothes tell nobody apart in a single one."""
BETTER_SHARE = {"one": 0.6, "many": 0.85}
"""How often a photograph is chosen because it has captions or clothes to tell of, or several objects."""
LIKE_SHARE = 0.5
"""Of the photographs and objects that are not what is asked for: those chosen because they look like it."""
MOST_PASTED = 3
TRAINING_POWER = 0.5
"""As CATEGORY_POWER: rare categories are to be learned from what few photographs there are."""


class Album:
    """All pictures come from `scenes` and from nothing else."""

    def __init__(self, scenes: list[Scene], images: str | Path, size: int):
        self.scenes, self.images, self.size = scenes, Path(images), size
        self.categories = CategoryIndex(scenes, TRAINING_POWER)
        self.cutouts = cutouts(scenes)
        self.clothed = {c: [pair for pair in pairs if pair[1].garments] for c, pairs in self.cutouts.items()}
        self.several = {
            c: [i for i in found if _number(scenes[i], c) > 1] for c, found in self.present.items()
        }
        self.told = {c: [i for i in found if _tells_apart(scenes[i], c)] for c, found in self.present.items()}
        self.dressed = [scene for scene in scenes if _clothed(scene)]
        self.like = {c: self._with_look_alikes(c) for c in self.absent}

    @property
    def present(self) -> dict[str, list[int]]:
        return self.categories.present

    @property
    def absent(self) -> dict[str, list[int]]:
        return self.categories.absent

    def picture(self, category: str, kind: str, rng: np.random.Generator) -> Picture | None:
        """One that is to hold `category` once ("one"), more often ("many"), or not at all ("zero")."""
        scene = self._scene(category, kind, rng)
        if scene is None:
            return None
        shares = LAYOUTS_CLOTHED if _clothed(scene) else LAYOUTS
        layout = rng.choice(list(shares), p=list(shares.values()))
        make = {"single": self._single, "pasted": self._pasted, "side by side": self._side_by_side}[layout]
        made = make(scene, category, kind, rng)
        return made and Picture(jitter(made.image, rng), made.view)

    def _single(self, scene: Scene, category: str, kind: str, rng: np.random.Generator) -> Picture:
        return photograph(scene, self.images, self.size, rng)

    def _side_by_side(
        self, scene: Scene, category: str, kind: str, rng: np.random.Generator
    ) -> Picture | None:
        other = "zero" if kind == "one" and rng.random() < 0.5 else kind
        if _clothed(scene) and rng.random() < 0.8:
            pair = [scene, pick(rng, self.dressed)]
        else:
            pair = [scene, self._scene(category, other, rng)]
        if pair[1] is None or pair[1] is scene:
            return None
        first, second = (pair[i] for i in rng.permutation(2))
        return side_by_side(first, second, self.images, self.size, rng)

    def _pasted(self, scene: Scene, category: str, kind: str, rng: np.random.Generator) -> Picture | None:
        if not _clothed(scene) and rng.random() < 0.6:
            scene = self._scene(category, "zero", rng) or scene
        picture = photograph(scene, self.images, self.size, rng)
        for number in range(rng.integers(1, MOST_PASTED + 1)):
            needed = kind != "zero" and (kind == "many" or number == 0)
            source = self._cutout(category, scene, needed=needed, never=kind == "zero", rng=rng)
            if source is not None:
                picture = paste(picture, *source, self.images, rng)
        return picture

    def _scene(self, category: str, kind: str, rng: np.random.Generator) -> Scene | None:
        if kind == "zero":
            found = self.like[category] if rng.random() < LIKE_SHARE else []
            found = found or self.absent[category]
        else:
            better = (self.several if kind == "many" else self.told).get(category, [])
            found = better if rng.random() < BETTER_SHARE[kind] else []
            found = found or self.present.get(category, [])
        return self.scenes[pick(rng, found)] if found else None

    def _cutout(self, category: str, base: Scene, *, needed: bool, never: bool, rng: np.random.Generator):
        """An object to paste: of the category, of one that looks like it, or any."""
        wanted = category
        if not needed:
            like = sorted(look_alikes(category) & self.cutouts.keys()) if rng.random() < LIKE_SHARE else []
            choices = like or [c for c in self.cutouts if not never or c != category]
            wanted = pick(rng, choices) if choices else category
        if never and wanted == category:
            return None
        found = self.clothed.get(wanted) if _clothed(base) else None
        found = found or self.cutouts.get(wanted)
        return pick(rng, found) if found else None

    def _with_look_alikes(self, category: str) -> list[int]:
        like = look_alikes(category)
        return [i for i in self.absent[category] if any(o.category in like for o in self.scenes[i].objects)]


def _number(scene: Scene, category: str) -> int:
    return sum(item.category == category for item in scene.objects)


def _tells_apart(scene: Scene, category: str) -> bool:
    return _clothed(scene) or any(phrase.category == category for phrase in scene.phrases)


def _clothed(scene: Scene) -> bool:
    return any(item.garments for item in scene.objects)
