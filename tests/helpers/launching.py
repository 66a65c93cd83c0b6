"""Launch trainings in processes of their own."""

import os
from dataclasses import asdict
from pathlib import Path

import yaml

from dmmi_core.training.recipe import Recipe
from helpers.paths import ROOT

ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
    "OMP_NUM_THREADS": "1",
}
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def write_recipe(recipe: Recipe, path: Path) -> Path:
    """Write the recipe as YAML, and return `path`."""
    values = {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(recipe).items()
    }
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path
