"""setuptools' backend, which also asks for the ROS 2 generators when told to:

    pip install '.[ros]' -C ros=kilted     # messages compiled against PyPI's ROS 2
    pip install .                          # dmmi_core and the dmmi command only

setup.py compiles the messages wherever it finds the generators.
"""

from pathlib import Path

from setuptools import build_meta as _base
from setuptools.build_meta import *  # noqa: F403  (a backend is its module's functions)

FOLDER = Path(__file__).parent


def _generators(config_settings):
    """The build requirements of the ROS 2 distribution that `-C ros=NAME` names."""
    name = (config_settings or {}).get("ros")
    if not name:
        return []
    path = FOLDER / f"ros-build-{name}.txt"
    if not path.is_file():
        known = ", ".join(sorted(p.stem.removeprefix("ros-build-") for p in FOLDER.glob("ros-build-*.txt")))
        raise SystemExit(f"dmmi: unknown ROS 2 distribution {name!r} in -C ros={name}; known: {known}")
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def get_requires_for_build_wheel(config_settings=None):
    return _base.get_requires_for_build_wheel(config_settings) + _generators(config_settings)


def get_requires_for_build_editable(config_settings=None):
    return _base.get_requires_for_build_editable(config_settings) + _generators(config_settings)
