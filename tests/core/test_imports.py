"""What may import what."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dmmi_core

FILES = sorted(Path(dmmi_core.__file__).parent.rglob("*.py"))


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    "statement",
    [
        "import dmmi_core.result, dmmi_core.instances.grouping, dmmi_core.errors",
        "import dmmi_core.visualization.overlay",
        "from dmmi_core import DmmiError, InputError, Instance, ModelError, Result, Roi, Status",
        "from dmmi_core.cli.parser import build_parser; build_parser()",
        "import dmmi_core.segmenter",
    ],
)
def test_values_need_no_pytorch(statement):
    loaded = run(
        f"import sys; {statement}; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


def imports(path: Path) -> set[str]:
    """Top-level packages that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_core_knows_nothing_of_ros():
    assert len(FILES) > 20
    ros = {"rclpy", "dmmi", "dmmi_ros", "sensor_msgs", "std_msgs"}
    assert {str(path): found for path in FILES if (found := imports(path) & ros)} == {}


@pytest.mark.parametrize("name", dmmi_core.__all__)
def test_public_names(name):
    assert getattr(dmmi_core, name).__name__ == name


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'Segmentor'"):
        dmmi_core.Segmentor  # noqa: B018
