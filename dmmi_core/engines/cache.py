"""A cache of graphs; its entries are named after the weights and versions that they were made from."""

import hashlib
import json
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from dmmi_core.checkpoints.model_folder import WEIGHTS, write_config
from dmmi_core.config import DmmiConfig
from dmmi_core.engines.export_process import ExportError, OnProgress, export_in_child
from dmmi_core.engines.manifest import Manifest, config_digest, file_digest, read_manifest
from dmmi_core.engines.registry import installed_version
from dmmi_core.errors import ModelError, OutputError
from dmmi_core.files import replaced_folder

logger = logging.getLogger(__name__)
DISTRIBUTIONS = ("torch", "timm", "transformers", "onnx", "onnxscript", "onnxruntime", "openvino")
PREFIX = "graphs-"
EARLIER_PREFIXES = ("onnx-", "openvino-")
"""Begin the names of entries that earlier versions made."""
UNUSED_DAYS = 30
UNFINISHED_DAYS = 1


class CacheError(ModelError):
    """The cache cannot be written."""


def cache_folder() -> Path:
    """Return `DMMI_CACHE`, or dmmi in the user's cache folder."""
    if chosen := os.environ.get("DMMI_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dmmi"


def cached(model: Path, config: DmmiConfig, on_progress: OnProgress | None = None) -> tuple[Path, Manifest]:
    """Return the cache's folder with the graphs of a model folder, and their manifest; export if need be.

    A damaged entry is made again; one of other weights or versions has another name. Raises CacheError if
    the cache cannot be written, ExportError if the export fails.
    """
    entry = cache_folder() / f"{PREFIX}{_key(model, config)}"
    if entry.is_dir():
        try:
            manifest = read_manifest(entry)
            with suppress(OSError):  # a cache may be read-only
                os.utime(entry)
            return entry, manifest
        except ModelError:
            logger.warning("%s is damaged; making it again", entry)
    try:
        with replaced_folder(entry) as folder:
            _copy(model, config, folder)
            _export(model, folder, on_progress)
        _remove_unused(entry.parent)
    except OutputError as error:
        raise CacheError(f"{error}; set DMMI_CACHE to another folder") from error
    except OSError as error:
        raise CacheError(
            f"cannot write {entry}: {error.strerror}; set DMMI_CACHE to another folder"
        ) from error
    return entry, read_manifest(entry)


def _export(model: Path, folder: Path, on_progress: OnProgress | None) -> None:
    try:
        export_in_child(folder, on_progress)
    except ExportError as error:  # it names the copy
        raise ExportError(str(error).replace(str(folder), str(model))) from error


def _copy(model: Path, config: DmmiConfig, folder: Path) -> None:
    """Put the configuration and the model's weights into `folder`; a link to the weights needs no room."""
    write_config(config, folder)
    try:
        os.link(model / WEIGHTS, folder / WEIGHTS)
    except OSError:  # another file system
        shutil.copy(model / WEIGHTS, folder)


def _key(model: Path, config: DmmiConfig) -> str:
    parts = {
        "config": config_digest(config),
        "weights": file_digest(model / WEIGHTS),
        "versions": {package: installed_version(package) for package in DISTRIBUTIONS},
        "sources": [file_digest(path) for path in sorted(Path(__file__).parents[1].rglob("*.py"))],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _remove_unused(folder: Path) -> None:
    """Remove entries that were not used for long, and those of exports that were killed."""
    now = time.time()
    for entry in filter(_is_ours, folder.iterdir()):
        days = UNFINISHED_DAYS if entry.name.startswith(".") else UNUSED_DAYS
        if entry.stat().st_mtime < now - days * 24 * 3600:
            shutil.rmtree(entry, ignore_errors=True)


def _is_ours(entry: Path) -> bool:
    return entry.name.lstrip(".").startswith((PREFIX, *EARLIER_PREFIXES))
