"""`dmmi-bag evaluate` for a fleet of bags."""

import argparse
import json
from pathlib import Path

from dmmi_core.cli.program import aligned
from dmmi_core.errors import InputError
from dmmi_ros.bags.command_schedule import read_schedule
from dmmi_ros.bags.evaluation import Options
from dmmi_ros.bags.fleet.evaluate_fleet import evaluate_fleet
from dmmi_ros.bags.fleet.figures import bag_table, fleet_figures, remarks
from dmmi_ros.bags.fleet.find_bags import find_bags
from dmmi_ros.bags.fleet.job import make_jobs
from dmmi_ros.bags.fleet.report import write_report
from dmmi_ros.bags.fleet.state import State
from dmmi_ros.bags.fleet.workers import Processes, ThisProcess, Workers
from dmmi_ros.bags.summary import notes, table


def run_fleet(arguments: argparse.Namespace, options: Options) -> None:
    """Evaluate a model on several bags; print the figures and write what was asked for.

    Raises `InputError` in the end if a bag could not be evaluated.
    """
    if options.live and arguments.workers:
        raise InputError("--live plays one bag at a time: it goes without --workers")
    if not options.commands.is_dir():
        read_schedule(options.commands)  # or each bag would tell what is wrong with it
    bags = find_bags(arguments.bags, besides=arguments.output)
    jobs = make_jobs(bags, options, output=arguments.output, pictures=arguments.report is not None)
    state = State(_state_folder(arguments.report)) if arguments.report else None
    results = evaluate_fleet(jobs, lambda count: _workers(arguments, options, count), state)
    figures = {"model": options.model, "mode": options.mode, **fleet_figures(jobs, results)}
    print(_json(figures) if arguments.json else _text(figures))
    if arguments.report:
        write_report(arguments.report, f"{len(jobs)} bags, {options.model}, {options.mode}", figures)
    if failed := figures["failed"]:
        raise InputError(f"{failed} of {len(jobs)} bags could not be evaluated")


def _state_folder(report: Path) -> Path:
    return report.with_suffix(".state")


def _workers(arguments: argparse.Namespace, options: Options, jobs: int) -> Workers:
    if arguments.workers:
        return Processes(options, min(arguments.workers, jobs))
    return ThisProcess(options)


def _json(figures: dict) -> str:
    worst = [{name: value for name, value in each.items() if name != "figure"} for each in figures["worst"]]
    return json.dumps({**figures, "worst": worst})


def _text(figures: dict) -> str:
    tables = aligned(bag_table(figures)), "", aligned(table(figures["total"]))
    return "\n".join([*tables, *notes(figures["total"]), *remarks(figures)])
