"""The images to build from: their objects, and what people wrote about them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmmi_core.data.coco import CocoInstances, instances_errors, read_instances
from dmmi_core.data.left_out import LeftOut
from dmmi_core.data.refzom.text_image_pairs import Pair
from dmmi_core.data.synthesis.scenes import Scene, make_scenes
from dmmi_core.errors import InputError


@dataclass(frozen=True)
class SourceImage:
    """An annotated image with its texts."""

    id: int
    scene: Scene
    annotation_ids: tuple[int, ...]
    """Ids of `scene.objects`, in their order; objects with only a box come last and have no id."""
    present: frozenset[str]
    """Categories with an annotation, crowds included."""
    captions: tuple[str, ...]
    expressions: tuple[Pair, ...]
    """One-to-one pairs of the RefCOCO family."""
    checked: tuple[Pair, ...]
    """Pairs of captions that a person confirmed."""


@dataclass(frozen=True)
class Texts:
    """Contents of the captions, refs and confirmed files, by image id."""

    captions: dict[int, list[str]]
    expressions: dict[int, list[Pair]]
    checked: dict[int, list[Pair]]


def read_images(annotations: str | Path, texts: Texts) -> tuple[list[SourceImage], CocoInstances]:
    """Return the images, ordered by id, and the instances file that they come from. Raises InputError."""
    left_out = LeftOut("annotation")
    with instances_errors(annotations):
        instances = read_instances(annotations)
        scenes = make_scenes(instances, left_out=left_out)
        total = len(instances.annotations)
    left_out.report(annotations, total)
    try:
        names, by_image = instances.category_names, instances.annotations_by_image()
        images = [
            _source_image(image, scene, _usable(by_image[image["id"]], left_out), names, texts)
            for image, scene in zip(instances.images, scenes, strict=True)
        ]
        return sorted(images, key=lambda image: image.id), instances
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{annotations}: images and annotations need ids: {error!r}") from error


def _usable(annotations: list[dict], left_out: LeftOut) -> list[dict]:
    """Return the annotations, with those left out as crowds: there is something, but no object."""
    return [a | {"iscrowd": 1} if a["id"] in left_out.keys else a for a in annotations]


def _source_image(
    image: dict, scene: Scene, annotations: list[dict], names: dict[int, str], texts: Texts
) -> SourceImage:
    known = {a["id"]: a for a in annotations}
    captions = [*image.get("captions", ()), *texts.captions.get(image["id"], ())]
    return SourceImage(
        image["id"],
        scene,
        tuple(a["id"] for a in annotations if not a.get("iscrowd")),
        frozenset(names[a["category_id"]] for a in annotations) | {item.category for item in scene.objects},
        tuple(" ".join(caption.split()) for caption in captions),
        _without_crowds(texts.expressions.get(image["id"], ()), known),
        _without_crowds(texts.checked.get(image["id"], ()), known),
    )


def _without_crowds(pairs: Iterable[Pair], known: dict[int, dict]) -> tuple[Pair, ...]:
    """Return the pairs that refer to no crowd; `known` are the image's annotations by id.

    Raises InputError if a pair refers to another annotation.
    """
    for pair in pairs:
        if not known.keys() >= set(pair.targets):
            raise InputError(
                f"{pair.text!r} refers to annotations {list(pair.targets)} of image {pair.image_id}, which "
                "lacks some of them; use the instances file that belongs to the texts"
            )
    return tuple(p for p in pairs if not any(known[target].get("iscrowd") for target in p.targets))


def pairs_by_image(pairs: Sequence[Pair]) -> dict[int, list[Pair]]:
    groups: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.image_id].append(pair)
    return groups
