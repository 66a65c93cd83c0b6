"""Results of an evaluation that was interrupted, or that grows."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dmmi_core.checkpoints.model_folder import find_model
from dmmi_core.engines.registry import installed_version
from dmmi_core.errors import InputError
from dmmi_core.files import replaced_file
from dmmi_ros.bags.fleet.job import BagResult, Job


class State:
    """Results by bag, one file each, in a folder; they hold while bag, model and options stay the same."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._fingerprints: dict[Job, str] = {}
        """Taken before the evaluation, during which a bag may grow."""

    def load(self, job: Job) -> BagResult | None:
        """Return the result for a bag, if there is one that holds."""
        try:
            self._fingerprints[job] = _fingerprint(job)
            entry = json.loads(self._path(job).read_text(encoding="utf-8"))
            if entry["of"] == self._fingerprints[job] and (job.output is None or job.output.is_dir()):
                return BagResult(**entry["result"])
        except (OSError, ValueError, KeyError, TypeError):  # missing, or not written by this version
            pass
        return None

    def save(self, job: Job, result: BagResult) -> None:
        """Keep the result of a bag that `load` was asked for, unless it is an error.

        Raises `InputError` if it cannot be written.
        """
        if result.error or job not in self._fingerprints:
            return
        path = self._path(job)
        try:
            self._folder.mkdir(exist_ok=True)
            with replaced_file(path) as new:
                new.write_text(json.dumps({"of": self._fingerprints[job], "result": asdict(result)}))
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error

    def _path(self, job: Job) -> Path:
        return self._folder / f"{_digest(str(job.bag.resolve()))}.json"


def _fingerprint(job: Job) -> str:
    """Return a digest of all that a result depends on; of files of bags and models, size and time stand."""
    options = job.options
    parts: dict[str, Any] = {
        "version": installed_version("dmmi"),
        "bag": _stamps(job.bag),
        "model": _stamps(find_model(options.model)),
        "commands": _digest(_text(options.commands)),
        "truth": _digest(_text(options.ground_truth)) if options.ground_truth else None,
        "options": {name: str(value) for name, value in asdict(options).items()},
        "output": str(job.output),
        "name": job.name,
        "pictures": job.pictures,
    }
    return _digest(json.dumps(parts, sort_keys=True))


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    stats = [(str(file), file.stat()) for file in files]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # the evaluation says what is wrong
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
