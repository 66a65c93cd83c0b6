"""Where the files that this package ships beside its code are: models, configuration, message definitions."""

from pathlib import Path


def shared(*names: str) -> Path | None:
    """The shipped file or folder of this path, in a source checkout or an installation, if there is one."""
    here = Path(__file__).resolve()
    roots = [here.parents[1]]  # a source checkout
    roots += [parent / "share" / "dmmi" for parent in here.parents]  # pip and colcon prefixes
    paths = (root.joinpath(*names) for root in roots)
    return next((path for path in paths if path.exists()), None)
