"""From a recipe's data section to the samples to train on, and to those that are held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from dmmi_core.data.missing import without_missing_images
from dmmi_core.data.packed import PackedSamples, grouped_by_objects
from dmmi_core.data.recipe import DataRecipe
from dmmi_core.data.refer import read_refer
from dmmi_core.data.samples import iterate_samples
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.images.clothes import read_clothing
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from dmmi_core.data.synthesis.validation import validation_samples
from dmmi_core.errors import InputError


def training_samples(data: DataRecipe) -> PackedSamples:
    """The samples of `data.refs` or `data.samples` to train on, without the photographs kept apart.

    Where `data.validation_split` names what to validate on, no photograph of `data.split` is kept apart.
    Those whose photographs are not in `data.images` are left out. Raises InputError.
    """
    if data.refs and data.validation_split:
        samples = read_refer(data.refs, data.annotations, data.split)
    else:
        samples = _share(_read(data), data.validation_share, kept_apart=False)
    return without_missing_images(samples, data.images)


def held_out_samples(data: DataRecipe, split: str | None = None) -> PackedSamples:
    """The samples of `split`, which only `data.refs` has; without one, of the validation split.

    Ordered by photograph, so that each is read once. Their photographs are in `data.images`; those whose
    are not are left out. Raises InputError.
    """
    if split and not data.refs:
        raise InputError(f"only data.refs has splits; there is no split {split!r} to evaluate on")
    split = split or data.validation_split
    if data.refs and split:
        samples = read_refer(data.refs, data.annotations, split)
    elif data.refs or data.samples:
        samples = _share(_read(data), data.validation_share, kept_apart=True)
    else:
        samples = PackedSamples.pack(grouped_by_objects(validation_samples(held_out_scenes(data))))
    samples = samples.select(np.argsort(samples.image_numbers(), kind="stable"))
    return without_missing_images(samples, data.images)


def held_out_scenes(data: DataRecipe) -> list[Scene]:
    """The share of the photographs of `data.annotations` that is kept apart, with their objects.

    As the first file alone has them, so that scores can be compared whatever else a training learns from.
    """
    first = _files(data.annotations)[0]
    scenes = read_scenes(first, mask_quality=data.mask_quality)
    return [scene for scene in scenes if is_validation(scene.image, data.validation_share)]


def training_scenes(data: DataRecipe) -> list[Scene]:
    """All photographs that templates make samples of: all but those kept apart. Raises InputError."""
    scenes = _read_scenes(data.annotations, data.mask_quality)
    for extra in data.extra:
        folder = Path(extra.images).absolute()
        found = _read_scenes(extra.annotations, data.mask_quality)
        scenes += [replace(scene, image=str(folder / scene.image)) for scene in found]
    if data.clothing:
        scenes += read_clothing(data.clothing)
    return [scene for scene in scenes if not is_validation(scene.image, data.validation_share)]


def _read_scenes(annotations: str | tuple[str, ...], mask_quality: float) -> list[Scene]:
    first, *further = _files(annotations)
    return read_scenes(first, further, mask_quality)


def _files(annotations: str | tuple[str, ...]) -> tuple[str, ...]:
    return (annotations,) if isinstance(annotations, str) else annotations


def _read(data: DataRecipe) -> PackedSamples:
    if data.refs:
        return read_refer(data.refs, data.annotations, data.split)
    return PackedSamples.pack(grouped_by_objects(iterate_samples(data.samples)))


def _share(samples: PackedSamples, share: int, *, kept_apart: bool) -> PackedSamples:
    """The samples of the photographs that are kept apart, or of all others."""
    belongs = np.array([is_validation(name, share) == kept_apart for name in samples.images()], bool)
    keep = belongs[samples.image_numbers()]
    if not keep.any():
        purpose = "validate" if kept_apart else "train"
        raise InputError(
            f"of {len(belongs)} images none is left to {purpose} on with data.validation_share={share}"
        )
    return samples.select(keep)
