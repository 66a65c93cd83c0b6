"""The folder that a model is: what it is called, how it is found and replaced. Nothing here needs PyTorch."""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from dmmi_core.config import DmmiConfig
from dmmi_core.errors import ModelError
from dmmi_core.resources import shared

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


def find_model(name: str | Path) -> Path:
    """A model's folder: a path, or the name of a model shipped with this package. Raises ModelError."""
    if Path(name).is_dir():
        return Path(name)
    config = shared("models", str(name), CONFIG)
    if config is not None:
        return config.parent
    raise ModelError(f"no model {str(name)!r}: give a folder with {CONFIG} and {WEIGHTS}, or 'dmmi-lite'")


def read_config(folder: Path) -> DmmiConfig:
    return DmmiConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))


def write_config(config: DmmiConfig, folder: Path) -> None:
    """The configuration of the model in `folder`; it replaces what is there at once, or not at all."""
    new = folder / f".{CONFIG}.new"
    new.write_text(json.dumps(config.to_dict(), indent=2) + "\n", encoding="utf-8")
    os.replace(new, folder / CONFIG)


@contextmanager
def replaced_folder(folder: Path):
    """A new folder to fill, put in place of `folder` when done: never half of it, even if killed."""
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield new
        new.chmod(0o755)
        if folder.exists():
            old = new.with_name(new.name + "-old")
            os.replace(folder, old)
            os.replace(new, folder)
            shutil.rmtree(old)
        else:
            os.replace(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
