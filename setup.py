"""The parts of the build that pyproject.toml cannot express: share/dmmi, ROS 2 messages, programs.

colcon never reads this file: package.xml says ament_cmake. It serves pip, which asks
CMake for the same install tree and puts it under the environment's prefix.
"""

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Command, Distribution, setup
from setuptools.command.build import build

ROOT = Path(__file__).parent.resolve()
SHARED = {
    "launch": ("*",),
    "config": ("*",),
    "models": ("*",),
    "msg": ("*.msg",),
    "training": ("*.yaml", "*.md", "*.txt"),
}


def shared_files():
    """Return the files that CMake installs to share/dmmi, for builds without it, by target folder."""
    found = {}
    for folder, patterns in SHARED.items():
        for pattern in patterns:
            for path in sorted(Path(folder).rglob(pattern)):
                if path.is_file() and path.suffix != ".pyc":
                    found.setdefault(f"share/dmmi/{path.parent}", []).append(str(path))
    return found


def generators():
    """The install prefix that holds the ROS 2 interface generators, or None."""
    spec = importlib.util.find_spec("rosidl_adapter")
    if spec is None or spec.origin is None:
        return None
    prefix = Path(spec.origin).parents[4]  # PREFIX/lib/pythonX.Y/site-packages/rosidl_adapter/__init__.py
    return prefix if (prefix / "share" / "rosidl_default_generators").is_dir() else None


def programs():
    """The console scripts; those of the ROS side only where there are messages for it to speak."""
    ros = [f"{name} = dmmi_ros.programs:{name}" for name in ("dmmi_node", "dmmi_player")]
    return ["dmmi = dmmi_core.cli:main", "dmmi-bag = dmmi_ros.bags.cli:main", *(ros if generators() else [])]


class BuildInterfaces(Command):
    """Run CMake into a staging prefix and carry what it generated as data files."""

    description = "build the ROS 2 interfaces"
    user_options = []

    def initialize_options(self):
        self.editable_mode = False
        self.build_temp = None

    def finalize_options(self):
        self.set_undefined_options("build", ("build_temp", "build_temp"))

    def run(self):
        prefix = generators()
        if prefix is None:
            self.announce("ROS 2 was not asked for: messages and services are left out", level=logging.INFO)
            return
        temp = Path(self.build_temp).resolve() / "interfaces"
        stage = temp / "stage"
        # A cache from an earlier isolated build names tools that are gone.
        shutil.rmtree(temp, ignore_errors=True)
        env = {**os.environ, "AMENT_PREFIX_PATH": str(prefix), "CMAKE_PREFIX_PATH": str(prefix)}
        configure = [
            *("cmake", "-S", str(ROOT), "-B", str(temp / "build"), "-G", "Ninja"),
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_INSTALL_PREFIX={stage}",
            f"-DPython3_EXECUTABLE={sys.executable}",
            f"-DCMAKE_PROJECT_dmmi_INCLUDE={ROOT / 'cmake' / 'ros_wheels.cmake'}",
        ]
        subprocess.run(configure, env=env, check=True)
        subprocess.run(["cmake", "--build", str(temp / "build"), "--target", "install"], env=env, check=True)

        # Only what setuptools does not carry already: not the Python packages, not SHARED.
        module = next(stage.glob("**/*-packages/dmmi"))
        site = Path(sysconfig.get_path("platlib")).relative_to(sysconfig.get_path("data"))
        trees = {
            module: site / "dmmi",
            stage / "share": Path("share"),
            stage / "lib" / "dmmi": Path("lib/dmmi"),
        }
        already = {
            stage / target / Path(name).name for target, names in shared_files().items() for name in names
        }
        data = {"lib": [str(path) for path in sorted((stage / "lib").glob("*.so*"))]}
        for source, target in trees.items():
            for path in sorted(source.rglob("*")):
                if not path.is_file() or path.suffix in (".pyc", ".c"):
                    continue
                if path not in already:
                    data.setdefault(str(target / path.relative_to(source).parent), []).append(str(path))
        # In place: an editable build has taken hold of the list by now.
        self.distribution.data_files.extend(sorted(data.items()))

    # setuptools asks these of every step of a build.
    def get_source_files(self):
        return []

    def get_outputs(self):
        return []

    def get_output_mapping(self):
        return {}


class BuildWithInterfaces(build):
    sub_commands = [*build.sub_commands, ("build_interfaces", None)]

    def run(self):
        # A module that is gone from the tree must not come back from an earlier build.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class DmmiDistribution(Distribution):
    def has_ext_modules(self):
        return generators() is not None  # compiled messages make a wheel for one platform

    def has_data(self):
        return self.has_data_files()  # what an editable build asks before it installs data files


setup(
    cmdclass={"build": BuildWithInterfaces, "build_interfaces": BuildInterfaces},
    data_files=sorted(shared_files().items()),
    distclass=DmmiDistribution,
    entry_points={"console_scripts": programs()},
)
