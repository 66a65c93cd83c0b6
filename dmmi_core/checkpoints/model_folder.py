"""Model folders: finding one, and reading and writing its configuration. Nothing here needs PyTorch."""

import json
from pathlib import Path

from dmmi_core.config import DmmiConfig
from dmmi_core.errors import ModelError, one_line
from dmmi_core.files import read_text, replaced_file
from dmmi_core.shipped_files import shared

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def find_model(name: str | Path) -> Path:
    """Return the folder of a model, given as a path or a shipped model's name. Raises ModelError."""
    if Path(name).is_dir():
        return Path(name)
    config = shared("models", str(name), CONFIG)
    if config is not None:
        return config.parent
    raise ModelError(f"no model {str(name)!r}: give a folder with {CONFIG} and {WEIGHTS}, or 'dmmi-lite'")


def read_config(folder: Path) -> DmmiConfig:
    """Read the configuration of the model in `folder`. Raises ModelError."""
    path = folder / CONFIG
    try:
        return DmmiConfig.from_dict(json.loads(read_text(path)))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged: {one_line(error)}") from error


def write_config(config: DmmiConfig, folder: Path) -> None:
    """Write the configuration of the model in `folder`, atomically."""
    with replaced_file(folder / CONFIG) as new:
        new.write_text(json.dumps(config.to_dict(), indent=2) + "\n", encoding="utf-8")
