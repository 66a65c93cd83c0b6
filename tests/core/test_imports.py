"""Imports: values without PyTorch, the core without ROS, layers without a way up, no circle."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import dmmi_core
from helpers.paths import ROOT

FILES = sorted(Path(dmmi_core.__file__).parent.rglob("*.py"))


LAYERS = [
    {
        "errors",
        "result",
        "config",
        "files",
        "schema",
        "shipped_files",
        "device",
        "distributed",
        "resizing",
        "grammar",
        "extras",
        "segmenter_options",
        "visible_text",
    },
    {"tokenizer", "instances", "tracking", "visualization"},
    {"data"},
    {"model", "losses"},
    {"checkpoints"},
    {"engines"},
    {"segmenter"},
    {"evaluation", "training", "benchmarking", "web"},
    {"cli"},
]
"""Parts of dmmi_core from low to high: each imports its own layer and lower ones only."""


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


def module_imports() -> dict[str, set[str]]:
    """Modules of both packages and the modules that each imports, also inside functions."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ("dmmi_core", "dmmi_ros")
        for path in (ROOT / package).rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        statements = run_time_imports(ast.parse(path.read_text(encoding="utf-8")))
        targets = {
            full if (full := f"{statement.module}.{alias.name}") in files else statement.module
            for statement in statements
            for alias in statement.names
        }
        found[name] = (targets & set(files)) - {name}
    return found


def run_time_imports(node: ast.AST):
    """The `from ... import` statements below `node`, except those for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and child.module:
            yield child
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from run_time_imports(child)


def test_no_imports_in_a_circle():
    TopologicalSorter(module_imports()).prepare()  # raises CycleError, which names the modules


def test_no_import_from_a_lower_layer_to_a_higher():
    layer = {part: number for number, parts in enumerate(LAYERS) for part in parts}
    upward = [
        f"{name} imports {target}"
        for name, targets in module_imports().items()
        for target in targets
        if name.startswith("dmmi_core.") and layer[name.split(".")[1]] < layer[target.split(".")[1]]
    ]
    assert upward == []
