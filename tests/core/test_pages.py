"""The pages for contributors name files, functions and classes that exist."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from helpers.paths import ROOT

PAGES = ("docs/architecture.md", "docs/paper.md", "CONTRIBUTING.md")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
REFERENCE = re.compile(r"(?P<path>[\w.+*/-]+)(?:: (?P<names>[\w.]+(?:, [\w.]+)*))?")
SUFFIXES = (".py", ".md", ".toml", ".yaml", ".cff", ".msg", ".srv", ".in", ".txt", ".safetensors")
PLACEHOLDER = "NAME"
"""Stands for the name of something new in a path."""
WRITTEN = {"config.json", "graphs.json", "model.safetensors", "text.onnx", "frame.onnx"}
"""Files of model folders."""


def references(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return each path that a page names in code font, with the names that it says are defined there."""
    found = []
    for code in CODE.findall(FENCED.sub("", page)):
        match = REFERENCE.fullmatch(code)
        if match and is_path(match["path"]):
            names = match["names"]
            found.append((match["path"], tuple(names.split(", ")) if names else ()))
    return found


def is_path(text: str) -> bool:
    """Whether `text` is meant to be a path in this repository, and not a topic or a message type."""
    if text in WRITTEN or text.startswith((".venv", "/")):
        return False
    return text.endswith(SUFFIXES) or ("/" in text and (ROOT / text.split("/")[0]).is_dir())


def defined(path: Path) -> set[str]:
    """Return the names that a module defines, and those of its classes as `Class.name`."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = names_of(node)
        found |= names
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for member in node.body for name in names_of(member)}
    return found


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.AnnAssign):
        return {ast.unparse(node.target)}
    if isinstance(node, ast.Assign):
        return {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return set()


def missing(path: str, names: tuple[str, ...]) -> list[str]:
    """Return what does not exist: the path, or those of the names that it does not define."""
    if PLACEHOLDER in path:
        return [] if (ROOT / path).parent.is_dir() else [path]
    files = sorted(ROOT.glob(path.rstrip("/"))) if "*" in path else [ROOT / path]
    if not files or not all(file.exists() for file in files):
        return [path]
    if not names:
        return []
    text = files[0].read_text(encoding="utf-8")
    known = defined(files[0]) if files[0].suffix == ".py" else set(re.findall(r"[\w.-]+", text))
    return [f"{path}: {name}" for name in names if name not in known]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page):
    found = references((ROOT / page).read_text(encoding="utf-8"))
    assert len(found) > 40
    assert [problem for path, names in found for problem in missing(path, names)] == []


@pytest.mark.parametrize(
    ("code", "problems"),
    [
        ("`dmmi_core/losses.py: similarity_loss`", []),
        ("`dmmi_core/losses.py: similarity_loss, no_loss`", ["dmmi_core/losses.py: no_loss"]),
        ("`dmmi_core/model/decoder.py: Decoded.guidance`", []),
        ("`dmmi_core/model/decoder.py: Decoded.middle`", ["dmmi_core/model/decoder.py: Decoded.middle"]),
        ("`dmmi_core/nothing.py`", ["dmmi_core/nothing.py"]),
        ("`dmmi_core/nothing/`", ["dmmi_core/nothing/"]),
        ("`nothing.py`", ["nothing.py"]),
        ("`dmmi_core/engines/NAME_engine.py`", []),
        ("`dmmi_core/no_engines/NAME_engine.py`", ["dmmi_core/no_engines/NAME_engine.py"]),
        ("`msg/Segmentation.msg: grouping`", []),
        ("`msg/Segmentation.msg: colour`", ["msg/Segmentation.msg: colour"]),
        ("`dmmi/Segmentation`, `~/segmentation`, `make test`", []),
    ],
)
def test_mistakes_are_found(code, problems):
    assert [problem for reference in references(code) for problem in missing(*reference)] == problems


def test_every_equation_has_a_place():
    table = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| eq\. ([\d, -]+)", table, re.MULTILINE)
    numbers: set[int] = set()
    for row in rows:
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", row):
            numbers |= set(range(int(first), int(last or first) + 1))
    assert numbers == set(range(1, 12))


def test_every_folder_of_the_code_is_described():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for package in ("dmmi_core", "dmmi_ros"):
        for folder in sorted((ROOT / package).glob("*/__init__.py")):
            assert f"`{package}/{folder.parent.name}/`" in page


def test_the_version_is_the_same_everywhere():
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"<version>{version}</version>" in (ROOT / "package.xml").read_text(encoding="utf-8")


def test_forms_for_issues_are_valid():
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert forms
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description"} <= form.keys()
        if path.name != "config.yml":
            assert all(part["type"] in ("markdown", "textarea", "input") for part in form["body"])
