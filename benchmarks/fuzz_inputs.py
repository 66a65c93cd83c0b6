"""Give every command damaged files: no traceback, no hang, no gigabytes.

    python benchmarks/fuzz_inputs.py [--count 1000] [--seed 0] [--kinds config weights ...]

Each number of each kind is a file, damaged by a random draw that depends on the seed, the kind and the number
alone. Commands run in one process after the other, which is restarted after a crash. A command must end with
status 0, or with status 2 and one line; within 20 s of processor time; below 4 GB.

Prints the counts of each kind and every fault, by kind and number, which repeat it. The exit status is 1 if
there are faults.
"""

import argparse
import contextlib
import io
import json
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import mutations
from mutations import mutate

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # for tests/helpers
SECONDS, WALL_SECONDS, MOST_BYTES = 20, 300, 4 << 30


class Workspace:
    """A folder with good files of every kind, all small; commands get copies with one file damaged."""

    def __init__(self, folder: Path):
        import torch

        from dmmi_core.checkpoints.saved_network import save_model
        from helpers.miniature import write_miniature
        from helpers.tiny import make_model, make_tokenizer

        torch.set_num_threads(1)
        self.folder, self.good, self.model = folder, {}, folder / "model"
        tokenizer = make_tokenizer(folder)
        save_model(make_model(), tokenizer, self.model)
        self.data = write_miniature(folder / "data", "ref-zom", "final", images_per_split=2)
        self.samples = folder / "samples.jsonl"
        self.recipe = folder / "recipe.yaml"
        self.checkpoint = folder / "backbone.pth"
        self._write_samples()
        self._write_recipe()
        torch.save({"model": {"conv_stem.weight": torch.zeros(8, 3, 3, 3)}, "epoch": 3}, self.checkpoint)

    def _write_samples(self) -> None:
        from dmmi_core.data.refer import read_refer
        from dmmi_core.data.samples import write_samples

        read = read_refer(self.data.refs, self.data.annotations, "test")
        write_samples(self.samples, [read[index] for index in range(min(4, len(read)))])

    def _write_recipe(self) -> None:
        import yaml

        data = {"images": str(self.data.images), "refs": str(self.data.refs), "split": "train"}
        values = {
            "model": "dmmi-lite",
            "data": data | {"annotations": str(self.data.annotations), "validation_split": "test"},
            "network": {"image_regions": [1, 3], "text_encoder": {"num_hidden_layers": 2}},
            "losses": {"dice": 1.0},
            "learning_rates": {"visual": 1e-4},
            "output": str(self.folder / "runs"),
            "backbone_weights": str(self.checkpoint),
            "text_weights": str(self.model),
            "image_size": 64,
            "steps": 1,
        }
        self.recipe.write_text(yaml.safe_dump(values))

    def run(self, kind: str, rng: random.Random) -> int:
        """Damage the file of a kind, run the command that reads it, mend the file; return the exit status."""
        path, read, write, command = KINDS[kind](self)
        good = self.good.setdefault(path, path.read_bytes())
        path.write_bytes(mutate(good, rng, read, write))
        try:
            return command()
        finally:
            path.write_bytes(good)
            shutil.rmtree(self.folder / "out", ignore_errors=True)


def _main(*arguments: Any) -> int:
    from dmmi_core.cli import main

    return main([str(argument) for argument in arguments])


def _segment(work: Workspace) -> int:
    image = next(iter(sorted(work.data.images.iterdir())))
    return _main(
        "segment", image, "the [MASK] dogs", "--model", work.model, "--engine", "torch", "--device", "cpu"
    )


def _evaluate(work: Workspace, *source: Any) -> int:
    model = ("--model", work.model, "--device", "cpu", "--engine", "torch", "--workers", 1)
    return _main("evaluate", *source, *model, "--json")


def _build_network(work: Workspace) -> int:
    """Read the recipe and build its network, without a training."""
    from dmmi_core.errors import DmmiError
    from dmmi_core.model.shapes import shapes
    from dmmi_core.training.recipe import read_recipe

    try:
        shapes(read_recipe(work.recipe).config())
    except DmmiError as error:
        print(f"dmmi: {error}", file=sys.stderr)
        return 2
    return 0


def _load_backbone(work: Workspace) -> int:
    from dmmi_core.checkpoints.pretrained import load_backbone
    from dmmi_core.errors import DmmiError
    from helpers.tiny import make_model

    try:
        load_backbone(make_model(), str(work.checkpoint))
    except DmmiError as error:
        print(f"dmmi: {error}", file=sys.stderr)
        return 2
    return 0


def _json_file(path: Path, command: Any) -> tuple:
    return path, json.loads, mutations.json_bytes, command


def _recipe(work: Workspace) -> tuple:
    import yaml

    return (
        work.recipe,
        yaml.safe_load,
        lambda value: yaml.safe_dump(value).encode(),
        lambda: _build_network(work),
    )


def _checkpoint(work: Workspace) -> tuple:
    import torch

    def read(data: bytes) -> Any:
        return torch.load(io.BytesIO(data), weights_only=True)

    def write(value: Any) -> bytes:
        buffer = io.BytesIO()
        torch.save(value, buffer)
        return buffer.getvalue()

    return work.checkpoint, read, write, lambda: _load_backbone(work)


def _refs_options(work: Workspace) -> tuple:
    return ("--recipe", work.recipe)


KINDS = {
    "config": lambda work: _json_file(work.model / "config.json", lambda: _segment(work)),
    "weights": lambda work: (
        work.model / "model.safetensors",
        mutations.read_tensors_file,
        mutations.tensors_file_bytes,
        lambda: _segment(work),
    ),
    "tokenizer": lambda work: _json_file(work.model / "tokenizer.json", lambda: _segment(work)),
    "checkpoint": _checkpoint,
    "recipe": _recipe,
    "samples": lambda work: (
        work.samples,
        mutations.read_lines,
        mutations.lines_bytes,
        lambda: _evaluate(work, "--samples", work.samples, "--images", work.data.images),
    ),
    "refs": lambda work: (
        work.data.refs,
        pickle.loads,
        mutations.pickle_bytes,
        lambda: _evaluate(work, *_refs_options(work)),
    ),
    "instances": lambda work: _json_file(
        work.data.annotations, lambda: _evaluate(work, *_refs_options(work))
    ),
    "refzom": lambda work: _json_file(
        work.data.annotations,
        lambda: _main("build-refzom", "--annotations", work.data.annotations, work.folder / "out"),
    ),
}
"""By kind, a function of a workspace: the file, how to read and write its value, and the command."""


def attempt(work: Workspace, kind: str, number: int, seed: int) -> str:
    """Run a command on one damaged file; return "used", "refused", or a fault in words."""
    rng = random.Random(f"{seed} {kind} {number}")
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = work.run(kind, rng)
    except BaseException as error:
        return f"traceback: {_where(error)}"
    lines = said.getvalue().splitlines()
    if any(line.startswith("Traceback") for line in lines):
        return f"traceback in a thread: {lines[-1]}"
    if status not in (0, 2) or (status == 2 and not (lines and lines[-1].startswith("dmmi: "))):
        return f"status {status}: {lines[-1:]}"
    if len(lines) > 0 and len(lines[-1]) > 1500:
        return f"a line of {len(lines[-1])} letters: {lines[-1][:100]}"
    return "refused" if status else "used"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "dmmi_core" in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:200]}"


def _work(kind: str, first: int, count: int, seed: int) -> None:
    """Attempt the numbers from `first` on, and print a JSON line before and after each."""
    with tempfile.TemporaryDirectory() as folder:
        work = Workspace(Path(folder))
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MOST_BYTES, resource.RLIM_INFINITY))
        for number in range(first, first + count):
            print(json.dumps({"number": number}), flush=True)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)  # its signal ends the process, also in a loop in C
            outcome = attempt(work, kind, number, seed)
            signal.setitimer(signal.ITIMER_PROF, 0)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            if memory > MOST_BYTES:
                outcome = f"{memory / 1e9:.1f} GB of memory"
            print(json.dumps({"number": number, "outcome": outcome}), flush=True)
            if memory > MOST_BYTES:
                return


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def fuzz(kind: str, count: int, seed: int) -> tuple[Counter, list[str]]:
    """Attempt `count` files of a kind in processes of their own; return counts and the faults."""
    counts, faults, number = Counter(), [], 0
    while number < count:
        command = [sys.executable, __file__, "--worker", kind, str(number), str(count - number), str(seed)]
        running = None
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        timer = threading.Timer(WALL_SECONDS, worker.kill)
        for line in worker.stdout:
            timer.cancel()
            timer = threading.Timer(WALL_SECONDS, worker.kill)
            timer.start()
            message = json.loads(line)
            running = message["number"] if "outcome" not in message else None
            if running is None:
                number = message["number"] + 1
                outcome = message["outcome"]
                known = outcome in ("used", "refused")
                counts[outcome if known else "faults"] += 1
                if not known:
                    faults.append(f"{kind} {message['number']}: {outcome}")
        timer.cancel()
        status = worker.wait()
        if running is None and status:
            raise SystemExit(f"{kind}: the good files cannot be made: status {status}")
        if number < count and status:
            ended = "hang" if status in (-signal.SIGPROF, -signal.SIGKILL) else f"status {status}"
            counts["faults"] += 1
            faults.append(f"{kind} {number}: the process ended: {ended}")
            number += 1
    return counts, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--count", type=int, default=1000, metavar="N", help="files of each kind (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the damage (%(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="all by default")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        kind, *numbers = arguments.worker
        _work(kind, *map(int, numbers))
        return 0
    every = []
    for kind in arguments.kinds:
        counts, faults = fuzz(kind, arguments.count, arguments.seed)
        every += faults
        print(
            f"{kind}: " + ", ".join(f"{counts[name]} {name}" for name in ("used", "refused", "faults")),
            flush=True,
        )
        for fault in faults:
            print(f"  {fault}", flush=True)
    return bool(every)


if __name__ == "__main__":
    sys.exit(main())
