"""What is known of each photograph: its objects, and what people wrote about it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmmi_core.data.refzom.pairs import Pair
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from dmmi_core.errors import InputError


@dataclass(frozen=True)
class Photograph:
    """`expressions` are one-to-one pairs of the RefCOCO family, `checked` captions that a person kept."""

    id: int
    scene: Scene
    annotation_ids: tuple[int, ...]
    """Of `scene.objects`, in their order; those of which only a box is known come last and have none."""
    present: frozenset[str]
    """Categories with an annotation, be it a crowd."""
    captions: tuple[str, ...]
    expressions: tuple[Pair, ...]
    checked: tuple[Pair, ...]


@dataclass(frozen=True)
class Texts:
    """By image id, what the captions, refs and confirmed files say."""

    captions: dict[int, list[str]]
    expressions: dict[int, list[Pair]]
    checked: dict[int, list[Pair]]


def read_photographs(annotations: str | Path, texts: Texts) -> tuple[list[Photograph], dict]:
    """In the order of their ids, and the instances file as it is. Raises InputError."""
    scenes = read_scenes(annotations)
    data = read_json(annotations)
    try:
        names = {category["id"]: category["name"] for category in data["categories"]}
        of_image: dict[int, list[dict]] = defaultdict(list)
        for annotation in data["annotations"]:
            of_image[annotation["image_id"]].append(annotation)
        photographs = [
            _photograph(image, scene, of_image[image["id"]], names, texts)
            for image, scene in zip(data["images"], scenes, strict=True)
        ]
        return sorted(photographs, key=lambda photograph: photograph.id), data
    except (KeyError, TypeError) as error:
        raise InputError(f"{annotations}: images and annotations need ids: {error!r}") from error


def _photograph(image: dict, scene: Scene, annotations: list[dict], names: dict, texts: Texts) -> Photograph:
    known = {a["id"]: a for a in annotations}
    captions = [*image.get("captions", ()), *texts.captions.get(image["id"], ())]
    return Photograph(
        image["id"],
        scene,
        tuple(a["id"] for a in annotations if not a.get("iscrowd")),
        frozenset(names[a["category_id"]] for a in annotations) | {item.category for item in scene.objects},
        tuple(" ".join(caption.split()) for caption in captions),
        _about_objects(texts.expressions.get(image["id"], ()), known),
        _about_objects(texts.checked.get(image["id"], ()), known),
    )


def _about_objects(pairs: Iterable[Pair], known: dict[int, dict]) -> tuple[Pair, ...]:
    """Those that refer to no crowd; `known` are the image's annotations by their ids."""
    for pair in pairs:
        if not known.keys() >= set(pair.targets):
            raise InputError(
                f"{pair.text!r} refers to annotations {list(pair.targets)} of image {pair.image_id}, which "
                "lacks some of them; use the instances file that belongs to the texts"
            )
    return tuple(p for p in pairs if not any(known[target].get("iscrowd") for target in p.targets))


def read_captions(paths: Iterable[str | Path]) -> dict[int, list[str]]:
    """COCO captions files, by image id; the order of the annotation ids. Raises InputError."""
    captions = defaultdict(list)
    for path in paths:
        try:
            for item in sorted(read_json(path)["annotations"], key=lambda item: item["id"]):
                captions[item["image_id"]].append(str(item["caption"]))
        except (KeyError, TypeError) as error:
            raise InputError(f"{path} is not a COCO captions file: {error!r}") from error
    return captions


def by_image(pairs: Sequence[Pair]) -> dict[int, list[Pair]]:
    found = defaultdict(list)
    for pair in pairs:
        found[pair.image_id].append(pair)
    return found


def read_json(path: str | Path) -> dict:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
