"""Keeps exported models between runs. An entry is of one model, by its contents, and of these versions."""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dmmi_core.checkpoints.folder import WEIGHTS
from dmmi_core.config import DmmiConfig
from dmmi_core.engines.manifest import Manifest, digest, read_manifest
from dmmi_core.engines.registry import installed_version
from dmmi_core.errors import ModelError
from dmmi_core.files import replaced_folder

logger = logging.getLogger(__name__)
PACKAGES = ("torch", "timm", "transformers", "onnx", "onnxscript", "onnxruntime", "openvino")
FORMATS = ("onnx", "openvino")
UNUSED_DAYS = 30
UNFINISHED_DAYS = 1


class CacheError(ModelError):
    """The cache cannot be written; what is asked of it must be done without."""


def cache_folder() -> Path:
    """`DMMI_CACHE`, or dmmi in the user's cache folder."""
    if chosen := os.environ.get("DMMI_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dmmi"


def cached(
    model: Path, config: DmmiConfig, format: str, export: Callable[[Path], None]
) -> tuple[Path, Manifest]:
    """The folder with the graphs of the model folder `model`; `export` fills it where there is none yet.

    One that is damaged is made again; what belongs to other contents or versions is never looked at.
    Raises CacheError where it cannot be written.
    """
    entry = cache_folder() / f"{format}-{_key(model, config, format)}"
    if entry.is_dir():
        try:
            manifest = read_manifest(entry)
            with suppress(OSError):  # a cache may be read-only
                os.utime(entry)
            return entry, manifest
        except ModelError:
            logger.warning("%s is damaged; making it again", entry)
    logger.info("making the %s engine of %s; this is needed once, and takes up to a minute", format, model)
    try:
        with replaced_folder(entry) as folder:
            export(folder)
        _remove_unused(entry.parent)
    except OSError as error:
        raise CacheError(
            f"cannot write {entry}: {error.strerror}; set DMMI_CACHE to another folder"
        ) from error
    return entry, read_manifest(entry)


def _key(model: Path, config: DmmiConfig, format: str) -> str:
    network = replace(config, presence_temperature=1.0, presence_threshold=0.5)  # which are not in the graphs
    sources = sorted(Path(__file__).parents[1].rglob("*.py"))
    parts = {
        "format": format,
        "config": network.to_dict(),
        "weights": digest(model / WEIGHTS),
        "versions": {package: installed_version(package) for package in PACKAGES},
        "sources": [digest(path) for path in sources],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _remove_unused(folder: Path) -> None:
    """Entries of earlier versions, or of models that are gone, and what was killed while it was made."""
    now = time.time()
    for entry in filter(_is_ours, folder.iterdir()):
        days = UNFINISHED_DAYS if entry.name.startswith(".") else UNUSED_DAYS
        if entry.stat().st_mtime < now - days * 24 * 3600:
            shutil.rmtree(entry, ignore_errors=True)


def _is_ours(entry: Path) -> bool:
    return entry.name.lstrip(".").startswith(tuple(f"{format}-" for format in FORMATS))
