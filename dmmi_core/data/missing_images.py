"""A filter for samples whose images are missing."""

import logging
import os
from pathlib import Path

import numpy as np

from dmmi_core.data.packed_samples import PackedSamples
from dmmi_core.errors import InputError

logger = logging.getLogger(__name__)
EXAMPLES = 3
COCO_FOLDERS = ("train2014", "val2014")


def without_missing_images(samples: PackedSamples, folder: str | Path) -> PackedSamples:
    """Return the samples whose image is in `folder`; one warning counts the others.

    Raises InputError if there is no such folder, or none of the images is in it.
    """
    names = samples.images()
    present = _file_names(Path(folder), names)
    missing = [name for name in names if name not in present]
    if not missing:
        return samples
    keep = np.array([name in present for name in names])[samples.image_numbers()]
    found = (
        f"{len(missing)} of {len(names)} images are not in {folder}, such as "
        f"{', '.join(missing[:EXAMPLES])}; {_remedy(missing)}"
    )
    if not keep.any():
        raise InputError(found)
    logger.warning("%d of %d samples are left out: %s", np.count_nonzero(~keep), len(keep), found)
    return samples.select(keep)


def _file_names(folder: Path, wanted: list[str]) -> set[str]:
    """Return the names in the folder, and in the subfolders that `wanted` names; lists each folder once."""
    if not folder.is_dir():
        raise InputError(f"there is no folder of images {folder}")
    parents = {os.path.dirname(name) for name in wanted}
    return {
        os.path.join(parent, name)
        for parent in parents
        if (folder / parent).is_dir()
        for name in os.listdir(folder / parent)
    }


def _remedy(missing: list[str]) -> str:
    folders = [part for part in COCO_FOLDERS if any(f"COCO_{part}_" in name for name in missing)]
    if folders:
        return f"put the files of COCO's {' and '.join(folders)} there"
    return "put them there, or name the folder that has them"
