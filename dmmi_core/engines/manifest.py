"""The folder of a model's graphs: its files, and how far they are from PyTorch. Read without PyTorch."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dmmi_core.errors import ModelError

MANIFEST = "graphs.json"


@dataclass(frozen=True)
class Manifest:
    format: str
    """Name of the engine that the graphs are for."""
    disagreement: dict[str, float]
    """From the reference, by the precisions that could be tried where they were made."""
    files: dict[str, str]
    """SHA-256 of each."""


def write_manifest(folder: Path, *, format: str, disagreement: dict[str, float]) -> None:
    """Of the files that are in `folder` by now."""
    files = {path.name: digest(path) for path in sorted(folder.iterdir())}
    text = json.dumps(asdict(Manifest(format, disagreement, files)), indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Raises ModelError where a file is not as it was written."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        damaged = [name for name, expected in manifest.files.items() if digest(folder / name) != expected]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"the exported model in {folder} is damaged: export it again") from error
    if damaged:
        raise ModelError(f"{folder / damaged[0]} is damaged: export the model again")
    return manifest


def digest(path: Path) -> str:
    """SHA-256, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()
