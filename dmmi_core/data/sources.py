"""From a recipe's data section to the samples of its validation split."""

from collections.abc import Sequence

from dmmi_core.data.samples import Sample, read_samples
from dmmi_core.data.scenes import is_validation, read_scenes
from dmmi_core.data.validation import validation_samples
from dmmi_core.recipe import DataRecipe


def held_out_samples(data: DataRecipe, split: str | None = None) -> Sequence[Sample]:
    """The samples of `split`, which only `data.refs` has; without one, of the validation split.

    Their photographs are in `data.images`. Raises InputError.
    """
    if data.samples:
        return [s for s in read_samples(data.samples) if is_validation(s.image, data.validation_share)]
    return validation_samples(
        [s for s in read_scenes(data.annotations) if is_validation(s.image, data.validation_share)]
    )
