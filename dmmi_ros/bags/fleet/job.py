"""The evaluation of one bag of a fleet, in whatever process."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmmi_core.errors import InputError, describe
from dmmi_ros.bags.evaluation import Options, evaluate_bag, open_segmenter
from dmmi_ros.bags.fleet.worst_answers import WorstAnswers

if TYPE_CHECKING:
    from dmmi_core.segmenter import Segmenter


@dataclass(frozen=True)
class Job:
    """A bag to evaluate; `name` is that in the report, `output` the bag to write, if any."""

    name: str
    bag: Path
    options: Options
    output: Path | None = None
    pictures: bool = False
    """Whether the worst answers are drawn."""


@dataclass(frozen=True)
class BagResult:
    """The result for one bag, all of which JSON can hold; with `error`, the rest is empty."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    """As of `Evaluated.to_dict`."""
    sums: dict[str, Any] = field(default_factory=dict)
    """As of `Summary.sums`."""
    worst: list[dict[str, Any]] = field(default_factory=list)
    """As of `WorstAnswers.to_list`."""
    engine: str = ""
    """The engine that ran the model, its precision and its device; empty if a node did."""
    elapsed_seconds: float = 0.0
    error: str = ""


def make_jobs(
    bags: Mapping[str, Path], options: Options, *, output: Path | None, pictures: bool
) -> list[Job]:
    """Return a job for each bag, by its name; `output` is the folder of the bags to write, if any.

    Where `commands` or `ground_truth` of the options is a folder, it holds a file NAME.jsonl for each bag.
    """

    def of_bag(path: Path, name: str) -> Path:
        return path / f"{name}.jsonl" if path.is_dir() else path

    jobs = []
    for name, bag in bags.items():
        truth = options.ground_truth and of_bag(options.ground_truth, name)
        own = replace(options, commands=of_bag(options.commands, name), ground_truth=truth)
        jobs.append(Job(name, bag, own, output / name if output else None, pictures))
    return jobs


class Evaluator:
    """Evaluates bags, one after the other, with a model that it opens once."""

    def __init__(self, options: Options):
        self._options = options
        self._segmenter: Segmenter | None = None

    def open(self) -> None:
        """Open the model, unless it is open or a node will. Raises `ModelError` or `InputError`."""
        if self._segmenter is None and not self._options.live:
            self._segmenter = open_segmenter(self._options)

    def evaluate(self, job: Job) -> BagResult:
        """Evaluate a bag; if that fails, return a result with an error. Raises as `open` does."""
        self.open()
        try:
            return self._evaluate(job)
        except Exception as error:  # the other bags shall be evaluated, whatever is wrong with this one
            return BagResult(job.name, error=describe(error))

    def _evaluate(self, job: Job) -> BagResult:
        began = time.perf_counter()
        worst = WorstAnswers(job.name, compared=job.options.has_truth)
        with _completed(job.output) as output:
            evaluated = evaluate_bag(
                job.bag, job.options, self._opened, output=output, on_outcome=[worst.add]
            )
        return BagResult(
            job.name,
            evaluated.to_dict(),
            evaluated.summary.sums(),
            worst.to_list(pictures=job.pictures),
            self._engine(),
            round(time.perf_counter() - began, 3),
        )

    def _opened(self) -> "Segmenter":
        assert self._segmenter is not None  # see evaluate
        return self._segmenter

    def _engine(self) -> str:
        if self._segmenter is None:
            return ""
        engine = self._segmenter.engine
        return f"{engine.name}, {engine.precision}, {engine.device}"


@contextmanager
def _completed(output: Path | None) -> Iterator[Path | None]:
    """Yield where to write a bag; it becomes `output` when the block ends without an error.

    Raises `InputError` if `output` exists already.
    """
    if output is None:
        yield None
        return
    if output.exists():
        raise InputError(f"{output} exists already: choose another name for the folder of --output")
    folder = output.parent / f".{output.name}-unfinished"
    shutil.rmtree(folder, ignore_errors=True)  # a run that was killed left it
    try:
        yield folder / output.name
        (folder / output.name).rename(output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
