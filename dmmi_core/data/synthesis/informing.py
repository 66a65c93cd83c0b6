"""A scene with what its captions tell of it."""

from dataclasses import replace

from dmmi_core.data.synthesis.captions import Phrase, person_names, read_phrase, unmentioned
from dmmi_core.data.synthesis.scenes import Scene


def inform(scene: Scene) -> Scene:
    """Adds what surely is not there, what persons may be called, and the captions that refer to objects."""
    there = {item.category for item in scene.objects}
    complete = scene.complete | (unmentioned(scene.captions) - there)
    number = sum(item.category == "person" for item in scene.objects)
    words = person_names(scene.captions, number) if "person" in complete else frozenset()
    objects = tuple(replace(o, names=words) if o.category == "person" else o for o in scene.objects)
    phrases = tuple(
        p for p in phrases_of(scene) if p.category in complete and p.fits(_count(scene, p.category))
    )
    return replace(scene, objects=objects, complete=complete, phrases=phrases)


def phrases_of(scene: Scene) -> list[Phrase]:
    return [phrase for caption in scene.captions if (phrase := read_phrase(caption))]


def _count(scene: Scene, category: str) -> int:
    return sum(item.category == category for item in scene.objects)
