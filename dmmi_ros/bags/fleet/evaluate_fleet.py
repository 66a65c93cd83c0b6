"""The evaluation of many bags: results that are known already are kept, workers evaluate the rest."""

import sys
from collections.abc import Callable, Sequence
from contextlib import closing

from tqdm import tqdm

from dmmi_ros.bags.fleet.job import BagResult, Job
from dmmi_ros.bags.fleet.state import State
from dmmi_ros.bags.fleet.workers import Workers, evaluate_all


def evaluate_fleet(
    jobs: Sequence[Job], make_workers: Callable[[int], Workers], state: State | None
) -> list[BagResult]:
    """Return the results of all jobs in their order; show the progress on stderr.

    `make_workers` is given the number of jobs that `state` has no result for, unless it is 0. Raises
    `DmmiError` if the model cannot be opened.
    """
    results = {job.name: kept for job in jobs if state and (kept := state.load(job))}
    rest = [job for job in jobs if job.name not in results]
    by_name = {job.name: job for job in rest}
    bar = tqdm(total=len(jobs), initial=len(results), unit="bag", disable=None)  # none without a terminal
    with bar:
        if not rest:
            return [results[job.name] for job in jobs]
        with closing(make_workers(len(rest))) as workers:
            for result in evaluate_all(rest, workers):
                results[result.name] = result
                if state:
                    state.save(by_name[result.name], result)
                if result.error:
                    bar.write(f"{result.name}: {result.error}", file=sys.stderr)
                bar.update()
    return [results[job.name] for job in jobs]
