"""Images of persons with annotated clothes."""

import json
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.data.synthesis.scenes import Scene, SceneObject
from dmmi_core.errors import InputError

_OUTER = {"blazer", "cape", "cardigan", "coat", "jacket", "vest", "suit", "hoodie", "sweatshirt"}
_WARM = {"sweater", "jumper", "sweatshirt", "hoodie", "cardigan"}
_SHIRTS = {"blouse", "shirt", "t-shirt", "top", "bodysuit"}
_LEGS = {"jeans", "pants", "leggings", "tights", "stockings"}
_FEET = {"boots", "clogs", "flats", "heels", "loafers", "pumps", "sandals", "shoes", "sneakers", "wedges"}
SIMILAR = {
    "coat": _OUTER | {"dress"},
    "jacket": _OUTER,
    "blazer": _OUTER,
    "cardigan": _OUTER | _WARM,
    "vest": _OUTER | {"top"},
    "sweater": _WARM | _SHIRTS | {"jacket"},
    "shirt": _SHIRTS | _OUTER | _WARM | {"dress"},
    "blouse": _SHIRTS | _OUTER | _WARM | {"dress"},
    "t-shirt": _SHIRTS | _WARM,
    "dress": {"dress", "romper", "skirt", "bodysuit", "coat", "intimate"},
    "skirt": {"dress", "romper", "skirt", "shorts"},
    "shorts": {"shorts", "romper", "skirt"},
    "jeans": _LEGS,
    "pants": _LEGS | {"suit", "romper"},
    "tights": _LEGS,
    "boots": _FEET,
    "hat": {"hat"},
    "scarf": {"scarf", "cape"},
    "bag": {"bag", "purse", "wallet", "accessories"},
    "purse": {"bag", "purse", "wallet", "accessories"},
}
"""Garments that expressions name, each with the annotated garments that people may call so."""
_BARE = {"null", "hair", "skin"}


def read_clothing(folder: str | Path) -> list[Scene]:
    """Read a folder of `images/NNNN.jpg`, `labels/NNNN.png` and `labels.json`, the names of the labels.

    Each image shows one person, who is the union of all labels above 0. Raises InputError.
    """
    folder = Path(folder).absolute()
    try:
        names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder / 'labels.json'}: {error}") from error
    return [_scene(path, folder, names) for path in sorted((folder / "labels").glob("*.png"))]


def _scene(path: Path, folder: Path, names: list[str]) -> Scene:
    labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if labels is None or labels.max() >= len(names):
        raise InputError(f"{path} is not a picture of indices into labels.json")
    garments = {
        names[i]: polygons
        for i in np.unique(labels).tolist()
        if names[i] not in _BARE and (polygons := _outlines(labels == i))
    }
    person = _outlines(labels > 0)
    height, width = labels.shape
    if not person:  # nothing was annotated
        return Scene(path.name, width, height, (), frozenset())
    x, y, w, h = cv2.boundingRect((labels > 0).astype(np.uint8))
    item = SceneObject("person", (x, y, w, h), person, garments=garments)
    image = str(folder / "images" / f"{path.stem}.jpg")
    return Scene(image, width, height, (item,), frozenset({"person"}))


def _outlines(mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the outer polygons of a mask, each (N, 2), float32."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(c[:, 0].astype(np.float32) for c in contours if len(c) > 2)
