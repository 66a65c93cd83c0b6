"""Says in one line what this machine lacks for the set-up with ROS 2 from PyPI, and fails; else is silent."""

import importlib.util
import os
import platform
import shutil
import sys
import sysconfig


def lacking():
    # The ROS 2 wheels decide the platform and the versions.
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "ROS 2 from PyPI is for Linux on x86-64 only; build with colcon on an installed ROS 2 instead"
    if not (3, 10) <= sys.version_info[:2] <= (3, 14):
        version = platform.python_version()
        return f"Python 3.10 to 3.14 is needed, this is {version}; `make PYTHON=python3.11 ...` takes another"
    if not all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        return "Python's venv is missing (Debian, Ubuntu: apt install python3-venv)"
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        return "Python's C headers are missing (Debian, Ubuntu: apt install python3-dev)"
    if not any(shutil.which(compiler) for compiler in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        return "a C++ compiler is missing (Debian, Ubuntu: apt install g++)"
    return None


reason = lacking()
sys.exit(reason and f"DMMI: {reason}")
