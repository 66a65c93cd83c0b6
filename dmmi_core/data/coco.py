"""COCO annotation files: instances and captions."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmmi_core.errors import InputError, one_line
from dmmi_core.schema import shown

CAPTIONS = "captions"
IMAGE: dict[str, tuple[type, ...]] = {
    "id": (int, str),
    "file_name": (str,),
    "height": (int,),
    "width": (int,),
    CAPTIONS: (str,),
    "labelled": (str,),
}
CATEGORY: dict[str, tuple[type, ...]] = {"id": (int, str), "name": (str,)}
CAPTION: dict[str, tuple[type, ...]] = {"image_id": (int, str), "caption": (str,)}
"""Types of the fields that are read; CAPTIONS are a list of them."""


@dataclass(frozen=True)
class CocoInstances:
    """A parsed instances file; use it inside `instances_errors`, as a malformed one fails on access."""

    data: dict[str, Any]

    @property
    def images(self) -> list[dict]:
        return self.data["images"]

    @property
    def annotations(self) -> list[dict]:
        return self.data["annotations"]

    @property
    def category_names(self) -> dict[int, str]:
        """Names of the categories by id."""
        return {category["id"]: category["name"] for category in self.data["categories"]}

    def images_by_id(self) -> dict[int, dict]:
        return {image["id"]: image for image in self.images}

    def annotations_by_image(self) -> dict[int, list[dict]]:
        """Annotations by image id, in the order of the file."""
        return group_by_image(self.annotations)

    def segmentations_by_id(self) -> dict[int, list | dict]:
        """Segmentations, polygons or RLE, by annotation id; [] for an annotation without one."""
        return {annotation["id"]: annotation.get("segmentation", []) for annotation in self.annotations}


def read_instances(path: str | Path) -> CocoInstances:
    """Read an instances file inside `instances_errors`, which turns its errors into `InputError`."""
    data = json.loads(Path(path).read_bytes())
    for image in data.get("images", ()):
        _check_fields(image, IMAGE, f"image {shown(image['id'])}")
    for category in data.get("categories", ()):
        _check_fields(category, CATEGORY, f"category {shown(category['id'])}")
    return CocoInstances(data)


def _check_fields(values: dict, fields: dict[str, tuple[type, ...]], name: str) -> None:
    """Raise TypeError for a value of another type, which would fail far from here; keys may be missing."""
    for key, types in fields.items():
        if key not in values:
            continue
        value = values[key]
        items = value if key == CAPTIONS and isinstance(value, list) else [value]
        if not all(isinstance(item, types) for item in items) or (key == CAPTIONS and items is not value):
            wanted = " or ".join(kind.__name__ for kind in types)
            raise TypeError(f"{key} of {name} is {shown(value)}; it must be {wanted}")


@contextmanager
def instances_errors(*paths: str | Path) -> Iterator[None]:
    """Raise InputError that names `paths` if the block cannot read them as COCO instances files."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        files = " with ".join(map(str, paths))
        raise InputError(f"{files} is not a COCO instances file: {_described(error)}") from error


def _described(error: Exception) -> str:
    """Return what is wrong: a missing key by its name, anything else as it is said."""
    return f"it has no {error}" if isinstance(error, KeyError) else one_line(error)


def group_by_image(annotations: Iterable[dict]) -> dict[int, list[dict]]:
    """Group annotations by image id; an image without any has an empty list."""
    groups: dict[int, list[dict]] = defaultdict(list)
    for annotation in annotations:
        groups[annotation["image_id"]].append(annotation)
    return groups


def read_captions(paths: Iterable[str | Path]) -> dict[int, list[str]]:
    """Return the captions of COCO captions files by image id, ordered by annotation id. Raises InputError."""
    captions: dict[int, list[str]] = defaultdict(list)
    for path in paths:
        try:
            data = json.loads(Path(path).read_bytes())
            for annotation in sorted(data["annotations"], key=lambda annotation: annotation["id"]):
                _check_fields(annotation, CAPTION, f"annotation {shown(annotation['id'])}")
                captions[annotation["image_id"]].append(annotation["caption"])
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not JSON: {one_line(error)}") from error
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a COCO captions file: {_described(error)}") from error
    return captions
