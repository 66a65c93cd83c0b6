"""The samples of a recipe's data section: those to train on, and those held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from dmmi_core.data.data_recipe import DataRecipe
from dmmi_core.data.left_out import LeftOut
from dmmi_core.data.missing_images import without_missing_images
from dmmi_core.data.packed_samples import PackedSamples, grouped_by_objects
from dmmi_core.data.refer import read_refer
from dmmi_core.data.samples import iterate_samples
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.images.clothed_persons import read_clothing
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from dmmi_core.data.synthesis.validation import validation_samples
from dmmi_core.errors import InputError


def training_samples(data: DataRecipe) -> PackedSamples:
    """Return the samples of `data.refs` or `data.samples` to train on, without those of held-out images.

    With a `data.validation_split`, no image of `data.split` is held out. Samples whose images are not in
    `data.images` are left out. Raises InputError.
    """
    if data.refs and data.validation_split:
        samples = _read_refs(data, data.split)
    else:
        samples = _split(_read(data), data.validation_share, held_out=False)
    return without_missing_images(samples, data.images)


def held_out_samples(data: DataRecipe, split: str | None = None) -> PackedSamples:
    """Return the samples of `split`, which only `data.refs` has; default: the samples to validate on.

    They are ordered by image, so that each image is read once. Samples whose images are not in `data.images`
    are left out. Raises InputError.
    """
    if split and not data.refs:
        raise InputError(f"only data.refs has splits; there is no split {split!r} to evaluate on")
    split = split or data.validation_split
    if data.refs and split:
        samples = _read_refs(data, split)
    elif data.refs or data.samples:
        samples = _split(_read(data), data.validation_share, held_out=True)
    else:
        samples = PackedSamples.pack(grouped_by_objects(validation_samples(held_out_scenes(data))))
    samples = samples.select(np.argsort(samples.image_numbers(), kind="stable"))
    return without_missing_images(samples, data.images)


def held_out_scenes(data: DataRecipe) -> list[Scene]:
    """Return the held-out images of `data.annotations`.

    They are annotated by the first file alone, so that scores compare, whatever else a training learns from.
    """
    first = _files(data.annotations)[0]
    scenes = read_scenes(first, mask_quality=data.mask_quality, bad_share=data.bad_share)
    return [scene for scene in scenes if is_validation(scene.image, data.validation_share)]


def training_scenes(data: DataRecipe) -> list[Scene]:
    """Return all annotated images that templates generate samples from, without the held-out ones."""
    scenes = _read_scenes(data.annotations, data)
    for extra in data.extra:
        folder = Path(extra.images).absolute()
        found = _read_scenes(extra.annotations, data)
        scenes += [replace(scene, image=str(folder / scene.image)) for scene in found]
    if data.clothing:
        scenes += read_clothing(data.clothing)
    return [scene for scene in scenes if not is_validation(scene.image, data.validation_share)]


def _read_scenes(annotations: str | tuple[str, ...], data: DataRecipe) -> list[Scene]:
    first, *further = _files(annotations)
    return read_scenes(first, further, data.mask_quality, bad_share=data.bad_share)


def _files(annotations: str | tuple[str, ...]) -> tuple[str, ...]:
    return (annotations,) if isinstance(annotations, str) else annotations


def _read_refs(data: DataRecipe, split: str) -> PackedSamples:
    (annotations,) = _files(data.annotations)  # a recipe has a single file with refs
    return read_refer(data.refs, annotations, split, bad_share=data.bad_share)


def _read(data: DataRecipe) -> PackedSamples:
    if data.refs:
        return _read_refs(data, data.split)
    samples = iterate_samples(data.samples, LeftOut("line", data.bad_share))
    return PackedSamples.pack(grouped_by_objects(samples))


def _split(samples: PackedSamples, share: int, *, held_out: bool) -> PackedSamples:
    """Return the samples of the held-out images, or of all others."""
    belongs = np.array([is_validation(name, share) == held_out for name in samples.images()], bool)
    keep = belongs[samples.image_numbers()]
    if not keep.any():
        purpose = "validate" if held_out else "train"
        raise InputError(
            f"of {len(belongs)} images none is left to {purpose} on with data.validation_share={share}"
        )
    return samples.select(keep)
