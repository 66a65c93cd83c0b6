"""Measure the cost of loading data.

    python benchmarks/loading.py refs [--refs 100000] [--workers 1 2 4]
    python benchmarks/loading.py images RECIPE.yaml [KEY=VALUE ...] [--steps 10]

`refs` writes a refs file and an instances file in RefCOCO's format. It prints the time and the memory to read
them, and the growth of worker processes that go through all samples. Private memory is not shared with any
other process (as Linux counts it).

`images` prints the images per second of a recipe's loader alone, with 1 and 2 workers, the CPUs that it keeps
busy, and the images per second of the training.
"""

import argparse
import json
import multiprocessing
import os
import pickle
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from dmmi_core.data.refer import read_refer
from dmmi_core.data.samples import Sample
from dmmi_core.training import Trainer
from dmmi_core.training.dataloader import open_loader
from dmmi_core.training.recipe import read_recipe

WORDS = (
    "the",
    "a",
    "man",
    "woman",
    "dog",
    "red",
    "left",
    "standing",
    "with",
    "umbrella",
    "next",
    "to",
    "chair",
)


def write_refs(folder: Path, count: int) -> tuple[Path, Path]:
    """Write refs of three sentences, images of three refs, and polygons of 20 to 60 points."""
    rng = np.random.default_rng(0)
    images = [_image(number) for number in range(-(-count // 3))]
    annotations = [_annotation(number, rng) for number in range(count)]
    instances = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]}
    (folder / "instances.json").write_text(json.dumps(instances))
    refs = [_ref(number, rng) for number in range(count)]
    (folder / "refs.p").write_bytes(pickle.dumps(refs, protocol=2))
    return folder / "refs.p", folder / "instances.json"


def _image(number: int) -> dict:
    return {"id": number, "file_name": f"COCO_train2014_{number:012}.jpg", "height": 480, "width": 640}


def _annotation(number: int, rng: np.random.Generator) -> dict:
    polygon = rng.uniform(0, 480, 2 * int(rng.integers(20, 61))).round(2).tolist()
    box = [10.0, 10.0, 100.0, 100.0]
    common = {"id": number, "image_id": number // 3, "category_id": 1, "iscrowd": 0, "area": 9.0, "bbox": box}
    return common | {"segmentation": [polygon]}


def _ref(number: int, rng: np.random.Generator) -> dict:
    sentences = []
    for sentence in range(3):
        tokens = [WORDS[i] for i in rng.integers(len(WORDS), size=int(rng.integers(2, 9)))]
        text = " ".join(tokens)
        sentences.append({"tokens": tokens, "raw": text, "sent_id": 3 * number + sentence, "sent": text})
    ids = [sentence["sent_id"] for sentence in sentences]
    ref = {"ref_id": number, "ann_id": number, "image_id": number // 3, "split": "train", "sent_ids": ids}
    return ref | {"sentences": sentences, "category_id": 1, "file_name": f"{number}.jpg"}


def memory(kind: str) -> float:
    """Return the MiB of this process that are resident ("Rss"), or shared with no other ("Private")."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


def _work(samples: Sequence[Sample], report) -> None:
    before, started = memory("Private"), time.perf_counter()
    for sample in samples:
        sum(sample.segmentations[0][0])  # every number is touched
    report.put((time.perf_counter() - started, memory("Private") - before))


def measure_workers(samples: Sequence[Sample], count: int, method: str) -> tuple[float, float]:
    """Return the largest time (s) of a worker for all samples, and the largest growth (private MiB)."""
    context = multiprocessing.get_context(method)
    report = context.SimpleQueue()
    processes = [context.Process(target=_work, args=(samples, report)) for _ in range(count)]
    for process in processes:
        process.start()
    seconds, grown = zip(*(report.get() for _ in processes), strict=True)
    for process in processes:
        process.join()
    return max(seconds), max(grown)


def measure_refs(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Another process writes, so that this one's memory is of reading alone.
        writer = multiprocessing.get_context("spawn").Process(
            target=write_refs, args=(Path(folder), arguments.refs)
        )
        writer.start()
        writer.join()
        before, started = memory("Rss"), time.perf_counter()
        samples = read_refer(Path(folder, "refs.p"), Path(folder, "instances.json"), "train")
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(samples):,} samples of {arguments.refs:,} refs: {seconds:.1f} s")
    print(f"resident: {before:.0f} MiB before, {peak:.0f} MiB at most, {memory('Rss'):.0f} MiB after")
    print()
    print("| workers | started by | all samples, s | private memory grows by, MiB each |")
    print("|---|---|---|---|")
    for method in ("fork", "spawn"):  # forked first: spawning moves the samples to shared memory
        for count in arguments.workers:
            seconds, grown = measure_workers(samples, count, method)
            print(f"| {count} | {method} | {seconds:.1f} | {grown:.1f} |")


def cpu_seconds() -> float:
    """Return the CPU time, in seconds, of this process and its finished children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure_loader(trainer: Trainer, workers: int, steps: int) -> tuple[float, float]:
    """Return the images per second of the loader alone, and the number of CPUs that it keeps busy."""
    recipe = replace(trainer.recipe, workers=workers)
    used, started = cpu_seconds(), time.perf_counter()
    positions = trainer.batch_sampler.positions(0, steps)
    for _ in open_loader(trainer.dataset, positions, recipe, trainer.model.config, trainer.tokenizer):
        pass
    seconds = time.perf_counter() - started
    return steps * recipe.batch_size / seconds, (cpu_seconds() - used) / seconds


def measure_images(arguments: argparse.Namespace) -> None:
    trainer = Trainer(read_recipe(arguments.recipe, arguments.overrides))
    print("| | workers | images/s | CPUs busy |")
    print("|---|---|---|---|")
    for workers in (1, 2):
        rate, busy = measure_loader(trainer, workers, 5 * arguments.steps)
        print(f"| loader alone | {workers} | {rate:.1f} | {busy:.1f} |")
    trainer.steps = arguments.steps + 1
    batches = trainer._batches()
    trainer._train_step(next(batches))  # the first step allocates memory
    used, started = cpu_seconds(), time.perf_counter()
    for batch in islice(batches, arguments.steps):
        trainer._train_step(batch)
    seconds = time.perf_counter() - started
    rate, busy = arguments.steps * trainer.recipe.batch_size / seconds, (cpu_seconds() - used) / seconds
    print(f"| training | {trainer.recipe.workers} | {rate:.1f} | {busy:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    refs = commands.add_parser("refs", help="reading refs, and the memory of workers")
    refs.add_argument("--refs", type=int, default=100_000)
    refs.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    refs.set_defaults(run=measure_refs)
    images = commands.add_parser("images", help="images a second, of a loader and of its training")
    images.add_argument("recipe")
    images.add_argument("overrides", nargs="*")
    images.add_argument("--steps", type=int, default=10)
    images.set_defaults(run=measure_images)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
