"""The `dmmi-bag` command: evaluates a model on recorded bags and makes bags from images. Needs no ROS."""

import argparse
import json
import logging
import math
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmmi_core.cli.options import add_engine, add_model, segmenter_options
from dmmi_core.cli.program import aligned, run_program, sigterm_as_exit
from dmmi_core.errors import InputError
from dmmi_core.extras import require

if TYPE_CHECKING:
    from dmmi_ros.bags.command_schedule import CommandSchedule
    from dmmi_ros.bags.outcomes import Outcome
    from dmmi_ros.bags.reader import Bag
    from dmmi_ros.bags.scoring import Scoring

BAG_MODULES = ("rosbags",)
STORAGES = ("sqlite3", "mcap")
RATES = 1e-3, 1e4
"""Lowest and highest rate in Hz; beyond, times overflow or coincide."""
TOPIC = re.compile(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)
"""A valid ROS topic name."""
COMMANDS_HELP = """\
The commands file has one JSON object a line:
  {"at": 0, "command": "the cups on the left"}
  {"at": 12.5, "command": "the cat\\nthe dog"}
  {"at": 20, "command": ""}
A command holds from "at", in seconds since the recording of the bag's first message, until the next one. Each
of its lines is a request; an empty command cancels.

The ground truth file is a samples file ("text", "kind", "height", "width", "segmentations") with additional
keys: "topic", "stamp" (that of the image's header, in nanoseconds) and, optionally, "ids", a number for each
segmentation that identifies its object over all frames; the default is its index in the list."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; return the exit status of `run_program`, or 143 after SIGTERM."""
    with sigterm_as_exit():  # or --live would leave its node running, and half a bag
        return run_program(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmmi-bag", description="Evaluate a model on rosbags, and make rosbags from images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_evaluate(commands)
    _add_make(commands)
    return parser


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="evaluate a model on a recorded bag",
        epilog=COMMANDS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bag", type=Path, metavar="BAG", help="rosbag2, sqlite3 or mcap")
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
        "--rate", type=_rate, default=1.0, metavar="X", help="speed of --live; 2 is twice as fast"
    )
    parser.add_argument("--output", type=Path, metavar="OUT_BAG", help="write the results to a bag")
    parser.add_argument(
        "--storage", choices=STORAGES, default="mcap", help="storage of that bag (%(default)s)"
    )
    parser.add_argument("--no-compression", action="store_true", help="do not compress that bag with zstd")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="write a report as a web page")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.set_defaults(run=evaluate)


def _add_make(commands: Any) -> None:
    parser = commands.add_parser("make", help="make a bag from images or a video")
    parser.add_argument(
        "source",
        type=Path,
        metavar="IMAGES_OR_VIDEO",
        help="folder of images, in the order of their names, or video",
    )
    parser.add_argument("bag", type=Path, metavar="OUT_BAG")
    parser.add_argument(
        "--rate", type=_rate, metavar="HZ", help="frames per second (default: the video's own; 10 for images)"
    )
    parser.add_argument(
        "--storage", choices=STORAGES, default="mcap", help="storage of the bag (%(default)s)"
    )
    parser.add_argument(
        "--topic", type=_topic, default="/camera/image_raw", metavar="T", help="image topic (%(default)s)"
    )
    parser.add_argument("--compressed", action="store_true", help="write CompressedImage to T/compressed")
    parser.set_defaults(run=make)


def evaluate(arguments: argparse.Namespace) -> None:
    """Evaluate a model on a bag; print the figures and write what was asked for."""
    require(*BAG_MODULES)
    if arguments.ground_truth or arguments.ground_truth_topic:
        require("torchmetrics")
    from dmmi_ros.bags.command_schedule import read_schedule
    from dmmi_ros.bags.reader import Bag
    from dmmi_ros.bags.report import Report
    from dmmi_ros.bags.summary import Summary
    from dmmi_ros.bags.writer import ResultWriter, new_bag

    if arguments.report:
        _check_report(arguments.report, arguments.output)
    schedule = read_schedule(arguments.commands)
    with ExitStack() as stack:
        bag = stack.enter_context(Bag(arguments.bag))
        topics = bag.choose(arguments.topic, besides=arguments.ground_truth_topic)
        skipped = bag.skipped([*topics, arguments.ground_truth_topic])
        summary = Summary(bag.start, schedule.texts, _scoring(arguments, bag, topics, schedule))
        report = Report() if arguments.report else None
        outcomes = _outcomes(arguments, bag, topics, schedule)
        writer = None
        if arguments.output:
            output = stack.enter_context(
                new_bag(arguments.output, storage=arguments.storage, compress=not arguments.no_compression)
            )
            writer = ResultWriter(output, topics)
        outcome = None
        for outcome in outcomes:
            summary.add(outcome)
            if report:
                report.add(outcome, summary.seconds(outcome))
            if writer:
                writer.add(outcome)
        if outcome is None:
            raise InputError(f"no frames on {', '.join(topics)} in {arguments.bag}")
    figures = {
        "bag": str(arguments.bag),
        "model": arguments.model,
        "mode": "live" if arguments.live else "offline",
        "skipped": skipped,
        **summary.to_dict(),
    }
    print(json.dumps(figures) if arguments.json else _text(figures))
    if report:
        report.write(arguments.report, f"{arguments.bag.name}, {arguments.model}, {figures['mode']}", figures)


def make(arguments: argparse.Namespace) -> None:
    """Write images or a video to a new bag."""
    require(*BAG_MODULES)
    from dmmi_ros.bags.from_images import write_images
    from dmmi_ros.bags.writer import new_bag

    topic = f"{arguments.topic}/compressed" if arguments.compressed else arguments.topic
    with new_bag(arguments.bag, storage=arguments.storage) as bag:
        count, rate = write_images(
            bag, arguments.source, topic=topic, rate=arguments.rate, compressed=arguments.compressed
        )
    print(f"{arguments.bag}: {count} frames on {topic}, {rate:g} Hz")


def _check_report(report: Path, output: Path | None) -> None:
    """Raise `InputError` if the page cannot be written, before the evaluation, which may take long."""
    if not report.parent.is_dir():
        raise InputError(f"cannot write {report}: does its folder exist?")
    if report.is_dir():
        raise InputError(f"cannot write {report}: it is a folder")
    if output and report.resolve() == output.resolve():
        raise InputError(f"cannot write {report}: --output has the same name")


def _scoring(
    arguments: argparse.Namespace, bag: "Bag", topics: list[str], schedule: "CommandSchedule"
) -> "Scoring | None":
    if not arguments.ground_truth and not arguments.ground_truth_topic:
        return None
    from dmmi_ros.bags.ground_truth import read_ground_truth, read_label_topic
    from dmmi_ros.bags.scoring import Scoring

    if arguments.ground_truth:
        return Scoring(read_ground_truth(arguments.ground_truth))
    if len(topics) > 1 or any(len(command.requests) > 1 for command in schedule.commands):
        raise InputError("--ground-truth-topic goes with one camera and one request at a time")
    return Scoring(read_label_topic(bag, arguments.ground_truth_topic, topics[0]))


def _outcomes(
    arguments: argparse.Namespace, bag: "Bag", topics: list[str], schedule: "CommandSchedule"
) -> "Iterator[Outcome]":
    frames = bag.frames(topics)
    if not arguments.live:
        from dmmi_core.segmenter import Segmenter
        from dmmi_ros.bags.offline import evaluate_offline

        # Show the progress of an export, which takes up to a minute, once for a model.
        logging.getLogger("dmmi_core.engines.export_process").setLevel(logging.INFO)
        options: dict[str, Any] = segmenter_options(arguments)
        segmenter = Segmenter.from_pretrained(arguments.model, **options)
        return evaluate_offline(frames, schedule, segmenter, start=bag.start, tracking=arguments.tracking)
    from dmmi_ros.bags.live import evaluate_live

    if len(topics) > 1:
        raise InputError("--live plays one camera: choose it with --topic")
    parameters = {
        "model": arguments.model,
        **segmenter_options(arguments),
        "tracking": str(arguments.tracking).lower(),
    }
    type_ = bag.type_of(topics[0])
    return evaluate_live(
        frames, schedule, type_=type_, start=bag.start, rate=arguments.rate, parameters=parameters
    )


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    lowest, highest = RATES
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {lowest:g} to {highest:g}")
    return value


def _topic(text: str) -> str:
    if not TOPIC.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a topic, such as /camera/image_raw")
    return text


def _text(figures: dict) -> str:
    from dmmi_ros.bags.summary import notes, table

    lines = [aligned(table(figures)), *notes(figures)]
    for command in figures["commands"]:
        lines += [f"{count} broken: {problem}" for problem, count in command["problems"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
