"""The manifest of a model folder's graphs: which files they are, and how far they are from PyTorch."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dmmi_core.config import DmmiConfig
from dmmi_core.engines.exported_engine import frame_outputs
from dmmi_core.errors import ModelError
from dmmi_core.files import read_text
from dmmi_core.schema import build

MANIFEST = "graphs.json"


@dataclass(frozen=True)
class Manifest:
    """Describes the graphs beside it."""

    config: str
    """Digest of the configuration that the graphs compute, `config_digest`."""
    disagreement: dict[str, float]
    """Disagreement with PyTorch by "engine:precision", as measured on a CPU when the graphs were made."""
    files: dict[str, str]
    """SHA-256 of the graphs and of the weights that they read."""


def write_manifest(
    folder: Path, config: DmmiConfig, *, files: tuple[str, ...], disagreement: dict[str, float]
) -> None:
    """Write the manifest of `files`, which must be in `folder`."""
    digests = {name: file_digest(folder / name) for name in files}
    text = json.dumps(asdict(Manifest(config_digest(config), disagreement, digests)), indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read a manifest and check its files. Raises ModelError if one is not as it was written."""
    try:
        manifest = build(Manifest, json.loads(read_text(folder / MANIFEST)))
        damaged = [
            name
            for name, known in manifest.files.items()
            if Path(name).name != name or file_digest(folder / name) != known
        ]
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"the exported model in {folder} is damaged: export it again") from error
    if damaged:
        raise ModelError(f"{folder / damaged[0]} is damaged: export the model again")
    return manifest


def config_digest(config: DmmiConfig) -> str:
    """Return the SHA-256 of what graphs of a configuration compute; its calibration does not count."""
    computed = {"config": config.uncalibrated().to_dict(), "outputs": frame_outputs(config)}
    return hashlib.sha256(json.dumps(computed, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        found = hashlib.sha256()
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()
