"""Bags among paths and in folders."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dmmi_core.errors import InputError
from dmmi_ros.bags.storage.recording import FORMATS, METADATA


def is_collection(path: Path) -> bool:
    """Return whether a path is a folder that holds bags, rather than a bag."""
    return path.is_dir() and not (path / METADATA).is_file() and next(bags_in(path), None) is not None


def bags_in(folder: Path, *, besides: Path | None = None) -> Iterator[Path]:
    """Yield the bags in a folder and all below it, except in the folder `besides`, in the order of names.

    A bag is a folder with a metadata.yaml, or else a single file. Hidden folders are passed over.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if besides is not None and here.resolve() == besides.resolve():
            folders.clear()
        elif METADATA in files:
            folders.clear()
            yield here
        else:
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (here / name for name in sorted(files) if Path(name).suffix in FORMATS)


def find_bags(paths: Sequence[Path], *, besides: Path | None = None) -> dict[str, Path]:
    """Return the bags among `paths` and in those that are folders of bags, by their names in a report.

    Names are paths below the folder that holds all bags. Raises `InputError` if there are none.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for bag in bags_in(path, besides=besides) if is_collection(path) else [path]:
            found.setdefault(bag.resolve(), bag)
    if not found:
        raise InputError(f"no bags in {', '.join(map(str, paths))}")
    common = Path(os.path.commonpath([bag.parent for bag in found]))
    return {bag.relative_to(common).as_posix(): given for bag, given in found.items()}
