"""`dmmi-bag evaluate`: the figures of one bag, or of a fleet of bags."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmmi_core.cli.options import add_engine, add_model, segmenter_options
from dmmi_core.cli.program import aligned
from dmmi_core.errors import InputError
from dmmi_core.extras import require
from dmmi_ros.bags.cli.options import BAG_MODULES, STORAGES, positive, rate

if TYPE_CHECKING:
    from dmmi_ros.bags.evaluation import Options

COMMANDS_HELP = """\
The commands file has one JSON object a line:
  {"at": 0, "command": "the cups on the left"}
  {"at": 12.5, "command": "the cat\\nthe dog"}
  {"at": 20, "command": ""}
A command holds from "at", in seconds since the recording of the bag's first message, until the next one. Each
of its lines is a request; an empty command cancels.

The ground truth file is a samples file ("text", "kind", "height", "width", "segmentations") with additional
keys: "topic", "stamp" (that of the image's header, in nanoseconds) and, optionally, "ids", a number for each
segmentation that identifies its object over all frames; the default is its index in the list.

With several bags, each of the two may also be a folder that holds a file NAME.jsonl for each bag."""


def add(commands: Any) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "evaluate",
        help="evaluate a model on recorded bags",
        epilog=COMMANDS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bags",
        type=Path,
        nargs="+",
        metavar="BAG",
        help="rosbag2, sqlite3 or mcap, or a folder of bags; several have one report",
    )
    parser.add_argument(
        "--commands", type=Path, required=True, metavar="FILE", help="timed commands, see below"
    )
    parser.add_argument(
        "--topic", nargs="+", default=[], metavar="T", help="image topics (default: the only one)"
    )
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument("--ground-truth", type=Path, metavar="FILE", help="ground truth, see below")
    truth.add_argument(
        "--ground-truth-topic",
        metavar="T",
        help="topic of label images with the stamps of the frames: 0 background, n object n of the request",
    )
    add_model(parser)
    add_engine(parser)
    parser.add_argument("--tracking", action="store_true", help="keep instance ids from frame to frame")
    parser.add_argument("--live", action="store_true", help="play the bag to a node in real time")
    parser.add_argument(
        "--rate", type=rate, default=1.0, metavar="X", help="speed of --live; 2 is twice as fast"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="OUT_BAG",
        help="write the results to a bag; those of several bags to bags in this folder",
    )
    parser.add_argument(
        "--storage", choices=STORAGES, default="mcap", help="storage of the output (%(default)s)"
    )
    parser.add_argument("--no-compression", action="store_true", help="do not compress the output with zstd")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="write a report as a web page")
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="evaluate N bags at a time, each in a process"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Evaluate a model on bags; print the figures and write what was asked for."""
    require(*BAG_MODULES)
    if arguments.ground_truth or arguments.ground_truth_topic:
        require("torchmetrics")
    from dmmi_ros.bags.cli.evaluate_fleet import run_fleet
    from dmmi_ros.bags.fleet.find_bags import is_collection

    if arguments.report:
        _check_report(arguments.report, arguments.output)
    options = _options(arguments)
    is_fleet = len(arguments.bags) > 1 or arguments.workers
    if is_fleet or is_collection(arguments.bags[0]):
        run_fleet(arguments, options)
    else:
        _run_one(arguments, options)


def _options(arguments: argparse.Namespace) -> "Options":
    from dmmi_ros.bags.evaluation import Options

    return Options(
        commands=arguments.commands,
        topics=tuple(arguments.topic),
        ground_truth=arguments.ground_truth,
        ground_truth_topic=arguments.ground_truth_topic,
        model=arguments.model,
        **segmenter_options(arguments),
        tracking=arguments.tracking,
        live=arguments.live,
        rate=arguments.rate,
        storage=arguments.storage,
        compress=not arguments.no_compression,
    )


def _run_one(arguments: argparse.Namespace, options: "Options") -> None:
    from dmmi_ros.bags.evaluation import evaluate_bag, open_segmenter
    from dmmi_ros.bags.report import Report

    bag = arguments.bags[0]
    report = Report() if arguments.report else None
    evaluated = evaluate_bag(
        bag,
        options,
        lambda: open_segmenter(options),
        output=arguments.output,
        on_outcome=[report.add] if report else [],
    )
    figures = {"bag": str(bag), "model": options.model, "mode": options.mode, **evaluated.to_dict()}
    print(json.dumps(figures) if arguments.json else _text(figures))
    if report:
        report.write(arguments.report, f"{bag.name}, {options.model}, {options.mode}", figures)


def _check_report(report: Path, output: Path | None) -> None:
    """Raise `InputError` if the page cannot be written, before the evaluation, which may take long."""
    if not report.parent.is_dir():
        raise InputError(f"cannot write {report}: does its folder exist?")
    if report.is_dir():
        raise InputError(f"cannot write {report}: it is a folder")
    if output and report.resolve() == output.resolve():
        raise InputError(f"cannot write {report}: --output has the same name")


def _text(figures: dict) -> str:
    from dmmi_ros.bags.summary import notes, table

    lines = [aligned(table(figures)), *notes(figures)]
    for command in figures["commands"]:
        lines += [f"{count} broken: {problem}" for problem, count in command["problems"].items()]
    return "\n".join(lines)
