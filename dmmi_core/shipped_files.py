"""Lookup of the files that are shipped beside the code: models, configuration, message definitions."""

from pathlib import Path


def shared(*names: str) -> Path | None:
    """Return the path of a shipped file or folder, in a source checkout or an installation, or None."""
    here = Path(__file__).resolve()
    roots = [here.parents[1]]  # a source checkout
    roots += [parent / "share" / "dmmi" for parent in here.parents]  # pip and colcon prefixes
    paths = (root.joinpath(*names) for root in roots)
    return next((path for path in paths if path.exists()), None)
