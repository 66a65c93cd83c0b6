"""COCO annotation files: instances and captions."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmmi_core.errors import InputError


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
    return CocoInstances(json.loads(Path(path).read_bytes()))


@contextmanager
def instances_errors(*paths: str | Path) -> Iterator[None]:
    """Raise InputError that names `paths` if the block cannot read them as COCO instances files."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        files = " with ".join(map(str, paths))
        raise InputError(f"{files} is not a COCO instances file: {error!r}") from error


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
                captions[annotation["image_id"]].append(str(annotation["caption"]))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}") from error
        except (KeyError, TypeError) as error:
            raise InputError(f"{path} is not a COCO captions file: {error!r}") from error
    return captions
