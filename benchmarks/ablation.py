"""Run the ablation of the paper's Table 3 with dmmi-lite.

    python benchmarks/ablation.py data.images=... data.annotations=... [KEY=VALUE ...]
        [--steps 2000] [--seeds 2] [--rows full no-decoder ...] [--device cuda] [--jobs 4] [--minutes 9]

The script trains each recipe of training/ablation with each seed, on the same samples in the same order,
scores the models on the validation split, and writes table.md and table.json to --output. Each training and
each evaluation is a process of its own; --jobs of them run at a time. The script stops after --minutes. Run
it again to resume from the last checkpoints (`checkpoint_every`); finished runs are not repeated.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from dmmi_core.training.trainer import MODEL
from dmmi_core.training.training_state import LAST, PREVIOUS

RECIPES = Path(__file__).parents[1] / "training" / "ablation"
ROWS = {
    "no-decoder": "no image-to-text decoder",
    "similarity-only": "L_sim only",
    "contrast-only": "L_con only",
    "plain-attention": "no MBA (plain cross-attention)",
    "single-scale": "no multi-scale",
    "one-direction": "one direction",
    "full": "full",
    "full-presence": "full + presence",
}
METRICS = ("oIoU", "mIoU", "Acc")


@dataclass(frozen=True)
class AblationRun:
    """A row of the table, trained with one seed."""

    row: str
    seed: int
    folder: Path
    overrides: tuple[str, ...]
    device: str

    @property
    def scores(self) -> Path:
        return self.folder / "scores.json"

    def finish(self, deadline: float) -> str:
        """Train and score, as far as that is not done, until the deadline; return the outcome as text."""
        if self.scores.exists():
            return "was done before"
        self.folder.mkdir(parents=True, exist_ok=True)
        recipe = (str(RECIPES / f"{self.row}.yaml"), *self.overrides, f"output={self.folder}")
        try:
            self._call(deadline, "train", *recipe, f"device={self.device}", f"seed={self.seed}")
            evaluate = ("evaluate", "--model", str(self.folder / MODEL), "--device", self.device, "--json")
            scores = self._call(deadline, *evaluate, "--recipe", *recipe)
        except subprocess.TimeoutExpired:
            return "to be continued"
        except subprocess.CalledProcessError as error:
            return f"failed: {error.stderr.strip().splitlines()[-1]}"
        self.scores.write_text(scores, encoding="utf-8")
        for state in (LAST, PREVIOUS):
            (self.folder / state).unlink(missing_ok=True)
        return "done"

    def _call(self, deadline: float, *arguments: str) -> str:
        """Return the output of a `dmmi` command. At the deadline it is killed; a training can resume."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise subprocess.TimeoutExpired("dmmi", 0)
        command = [sys.executable, "-m", "dmmi_core.cli", *arguments]
        limit = None if left == float("inf") else left
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=limit).stdout


def summary(runs: Sequence[AblationRun]) -> dict[str, dict[str, Any]]:
    """Return the scores of each row by seed, and the mean and standard deviation of each metric."""
    rows: dict[str, dict[str, Any]] = {}
    for run in runs:
        if run.scores.exists():
            scores = json.loads(run.scores.read_text(encoding="utf-8"))
            rows.setdefault(run.row, {"seeds": {}})["seeds"][run.seed] = scores
    for row in rows.values():
        for name in METRICS:
            values = [scores[name] for scores in row["seeds"].values() if scores[name] is not None]
            row[name] = {
                "mean": mean(values) if values else None,
                "spread": stdev(values) if len(values) > 1 else None,
            }
    return rows


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Format the rows as a Markdown table."""
    lines = [f"| | seeds | {' | '.join(METRICS)} |", "|---" * (2 + len(METRICS)) + "|"]
    for row, title in ROWS.items():
        if row in rows:
            cells = " | ".join(_text(rows[row][name]) for name in METRICS)
            lines.append(f"| {title} | {len(rows[row]['seeds'])} | {cells} |")
    return "\n".join(lines)


def _text(value: dict[str, Any]) -> str:
    if value["mean"] is None:
        return "-"
    spread = "" if value["spread"] is None else f" ± {value['spread']:.1f}"
    return f"{value['mean']:.1f}{spread}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="overrides of every recipe")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=2, help="number of seeds (%(default)s)")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (%(default)s)")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--output", type=Path, default=Path("runs/ablation"))
    return parser.parse_intermixed_args()


def main() -> None:
    arguments = _arguments()
    deadline = time.monotonic() + 60 * arguments.minutes
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // arguments.jobs)))
    overrides = (f"steps={arguments.steps}", "validate_every=null", *arguments.overrides)
    runs = [
        AblationRun(
            row, seed, arguments.output / f"{row}-{arguments.steps}-seed-{seed}", overrides, arguments.device
        )
        for seed, row in product(range(arguments.seeds), arguments.rows)  # all rows once, then again
    ]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for run, outcome in zip(runs, pool.map(lambda run: run.finish(deadline), runs), strict=True):
            print(f"{ROWS[run.row]}, seed {run.seed}: {outcome}", file=sys.stderr, flush=True)
    rows = summary(runs)
    text = json.dumps({"steps": arguments.steps, "rows": rows}, indent=2) + "\n"
    (arguments.output / "table.json").write_text(text, encoding="utf-8")
    (arguments.output / "table.md").write_text(table(rows) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
