"""The `dmmi-bag` command: evaluates the model on recorded bags, and makes bags of pictures. Needs no ROS."""

import argparse
import importlib.util
import json
import logging
import math
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dmmi_core.cli.options import add_engine, add_model, segmenter_options
from dmmi_core.cli.program import aligned, run_program, sigterm_as_exit
from dmmi_core.errors import InputError

if TYPE_CHECKING:
    from dmmi_ros.bags.command_schedule import Schedule
    from dmmi_ros.bags.outcomes import Answer
    from dmmi_ros.bags.reader import Bag
    from dmmi_ros.bags.scoring import Scoring

EXTRA = {"rosbags": "rosbags", "rosbags.image": "rosbags-image", "torchmetrics": "torchmetrics"}
STORAGES = ("sqlite3", "mcap")
RATES = 1e-3, 1e4
"""Beyond, times overflow or are the same."""
TOPIC = re.compile(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)
"""What ROS takes for one."""
COMMANDS_HELP = """\
The commands file has one JSON object a line:
  {"at": 0, "command": "the cups on the left"}
  {"at": 12.5, "command": "the cat\\nthe dog"}
  {"at": 20, "command": ""}
A command holds from "at", in seconds since the recording of the bag's first message, until the next one; its
lines are requests of their own, and an empty one cancels.

The ground truth file is a samples file ("text", "kind", "height", "width", "segmentations") with three more
keys: "topic", "stamp" (of the image's header, in nanoseconds) and, if wanted, "ids", a number for each
segmentation, by which an object is known from frame to frame; else it is its place in the list."""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status, as of `run_program`; 143 at SIGTERM."""
    with sigterm_as_exit():  # or the node of --live would live on, beside half a bag
        return run_program(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dmmi-bag", description="Evaluate on rosbags, and make them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_evaluate(commands)
    _add_make(commands)
    return parser


def _add_evaluate(commands) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="answer the frames of a bag, and say how",
        epilog=COMMANDS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bag", type=Path, metavar="BAG", help="a rosbag2, sqlite3 or mcap")
    parser.add_argument("--commands", type=Path, required=True, metavar="FILE", help="what to ask when")
    parser.add_argument(
        "--topic", nargs="+", default=[], metavar="T", help="image topics (the bag's only one)"
    )
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument("--ground-truth", type=Path, metavar="FILE", help="the right answers")
    truth.add_argument(
        "--ground-truth-topic",
        metavar="T",
        help="label images with the stamps of the frames: 0 background, n for object n that is asked for",
    )
    add_model(parser)
    add_engine(parser)
    parser.add_argument("--tracking", action="store_true", help="ids hold from frame to frame")
    parser.add_argument("--live", action="store_true", help="play the bag to a node, at its pace")
    parser.add_argument(
        "--rate", type=_rate, default=1.0, metavar="X", help="pace of --live; 2 is twice as fast"
    )
    parser.add_argument("--output", type=Path, metavar="OUT_BAG", help="write the answers as a bag")
    parser.add_argument(
        "--storage", choices=STORAGES, default="mcap", help="storage of that bag (%(default)s)"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="write a web page")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=evaluate)


def _add_make(commands) -> None:
    parser = commands.add_parser("make", help="a folder of images, or a video, into a bag")
    parser.add_argument("source", type=Path, metavar="IMAGES_OR_VIDEO", help="images go by their names")
    parser.add_argument("bag", type=Path, metavar="OUT_BAG")
    parser.add_argument(
        "--rate", type=_rate, metavar="HZ", help="frames a second (the video's own; 10 for images)"
    )
    parser.add_argument(
        "--storage", choices=STORAGES, default="mcap", help="storage of the bag (%(default)s)"
    )
    parser.add_argument(
        "--topic", type=_topic, default="/camera/image_raw", metavar="T", help="image topic (%(default)s)"
    )
    parser.add_argument("--compressed", action="store_true", help="write CompressedImage, on T/compressed")
    parser.set_defaults(run=make)


def evaluate(arguments: argparse.Namespace) -> None:
    _require_extra()
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
        summary = Summary(bag.start, schedule.texts, _scoring(arguments, bag, topics, schedule))
        report = Report() if arguments.report else None
        answers = _answers(arguments, bag, topics, schedule)
        writer = None
        if arguments.output:
            output = stack.enter_context(new_bag(arguments.output, storage=arguments.storage))
            writer = ResultWriter(output, topics)
        answer = None
        for answer in answers:
            summary.add(answer)
            if report:
                report.add(answer, summary.seconds(answer))
            if writer:
                writer.add(answer)
        if answer is None:
            raise InputError(f"no frames on {', '.join(topics)} in {arguments.bag}")
    figures = {
        "bag": str(arguments.bag),
        "model": arguments.model,
        "mode": "live" if arguments.live else "offline",
        **summary.to_dict(),
    }
    print(json.dumps(figures) if arguments.json else _text(figures))
    if report:
        report.write(arguments.report, f"{arguments.bag.name}, {arguments.model}, {figures['mode']}", figures)


def make(arguments: argparse.Namespace) -> None:
    _require_extra()
    from dmmi_ros.bags.from_images import write_pictures
    from dmmi_ros.bags.writer import new_bag

    topic = f"{arguments.topic}/compressed" if arguments.compressed else arguments.topic
    with new_bag(arguments.bag, storage=arguments.storage) as bag:
        count, rate = write_pictures(
            bag, arguments.source, topic=topic, rate=arguments.rate, compressed=arguments.compressed
        )
    print(f"{arguments.bag}: {count} frames on {topic}, {rate:g} Hz")


def _check_report(report: Path, output: Path | None) -> None:
    """Raises `InputError` where the page will not be written; an evaluation is too long to learn it after."""
    if not report.parent.is_dir():
        raise InputError(f"cannot write {report}: does its folder exist?")
    if report.is_dir():
        raise InputError(f"cannot write {report}: it is a folder")
    if output and report.resolve() == output.resolve():
        raise InputError(f"cannot write {report}: --output has the same name")


def _scoring(
    arguments: argparse.Namespace, bag: "Bag", topics: list[str], schedule: "Schedule"
) -> "Scoring | None":
    if not arguments.ground_truth and not arguments.ground_truth_topic:
        return None
    from dmmi_ros.bags.ground_truth import read_truth, truth_of_labels
    from dmmi_ros.bags.scoring import Scoring

    if arguments.ground_truth:
        return Scoring(read_truth(arguments.ground_truth))
    if len(topics) > 1 or any(len(command.requests) > 1 for command in schedule.commands):
        raise InputError("--ground-truth-topic goes with one camera and one request at a time")
    return Scoring(truth_of_labels(bag, arguments.ground_truth_topic, topics[0]))


def _answers(
    arguments: argparse.Namespace, bag: "Bag", topics: list[str], schedule: "Schedule"
) -> "Iterator[Answer]":
    frames = bag.frames(topics)
    if not arguments.live:
        from dmmi_core.segmenter import Segmenter
        from dmmi_ros.bags.offline import answer_offline

        # Making an engine, once for a model, takes up to a minute.
        logging.getLogger("dmmi_core.engines.cache").setLevel(logging.INFO)
        segmenter = Segmenter.from_pretrained(arguments.model, **segmenter_options(arguments))
        return answer_offline(frames, schedule, segmenter, start=bag.start, tracking=arguments.tracking)
    from dmmi_ros.bags.live import answer_live

    if len(topics) > 1:
        raise InputError("--live plays one camera: choose it with --topic")
    parameters = {
        "model": arguments.model,
        **segmenter_options(arguments),
        "tracking": str(arguments.tracking).lower(),
    }
    type_ = bag.type_of(topics[0])
    return answer_live(
        frames, schedule, type_=type_, start=bag.start, rate=arguments.rate, parameters=parameters
    )


def _require_extra() -> None:
    missing = [package for module, package in EXTRA.items() if not _is_there(module)]
    if missing:
        raise InputError(f"this needs {' and '.join(missing)}: pip install 'dmmi[bag]'")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it would be in
        return False


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
