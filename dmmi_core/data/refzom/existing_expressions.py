"""Existing one-to-one expressions: refs(...).p of RefCOCO, RefCOCO+ and RefCOCOg."""

from collections.abc import Iterator
from pathlib import Path

from dmmi_core.data.refzom.text_image_pairs import Pair
from dmmi_core.data.safe_pickle import read_plain_pickle
from dmmi_core.errors import InputError


def read_expressions(path: str | Path) -> list[Pair]:
    """Read the expressions of all splits; the built dataset has its own. Raises InputError."""
    refs = read_plain_pickle(path)
    try:
        return [pair for ref in refs for pair in _pairs(ref)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a refs file of the RefCOCO family: {error!r}") from error


def _pairs(ref: dict) -> Iterator[Pair]:
    if not isinstance(ref["ann_id"], int):
        raise ValueError(f"ref {ref['ref_id']} has not one annotation but {ref['ann_id']}")
    if not isinstance(ref["image_id"], int):
        raise ValueError(f"ref {ref['ref_id']} has the image {ref['image_id']!r}")
    for sentence in ref["sentences"]:
        text = " ".join((sentence.get("raw") or sentence["sent"]).split())
        if text:
            yield Pair(ref["image_id"], text, (ref["ann_id"],), "expressions")
