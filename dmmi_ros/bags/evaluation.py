"""The evaluation of one bag, offline or live."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmmi_core.errors import InputError
from dmmi_ros.bags.command_schedule import CommandSchedule, read_schedule
from dmmi_ros.bags.outcomes import Outcome
from dmmi_ros.bags.reader import Bag
from dmmi_ros.bags.summary import Summary
from dmmi_ros.bags.writer import ResultWriter, new_bag

if TYPE_CHECKING:  # imports PyTorch
    from dmmi_core.segmenter import Segmenter
    from dmmi_ros.bags.scoring import Comparison, Scoring

OnOutcome = Callable[[Outcome, float, "Comparison | None"], None]
"""Called with each outcome, its seconds since the start of the bag, and its comparison with ground truth."""


@dataclass(frozen=True)
class Options:
    """How bags are evaluated; the options of `dmmi-bag evaluate` of the same names."""

    commands: Path
    topics: tuple[str, ...] = ()
    ground_truth: Path | None = None
    ground_truth_topic: str | None = None
    model: str = "dmmi-lite"
    engine: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    tracking: bool = False
    live: bool = False
    rate: float = 1.0
    storage: str = "mcap"
    compress: bool = True

    @property
    def mode(self) -> str:
        """Either "live" or "offline"."""
        return "live" if self.live else "offline"

    @property
    def has_truth(self) -> bool:
        """Whether answers are compared with ground truth."""
        return self.ground_truth is not None or self.ground_truth_topic is not None

    @property
    def engine_options(self) -> dict[str, Any]:
        """The options of `Segmenter.from_pretrained`, and parameters of the node."""
        return {"engine": self.engine, "precision": self.precision, "device": self.device}


@dataclass(frozen=True)
class Evaluated:
    """The figures of a bag; `skipped` are its topics that were not read, as in `Bag.skipped`."""

    summary: Summary
    skipped: list[dict[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON has them; see docs/bags.md."""
        return {"skipped": self.skipped, **self.summary.to_dict()}


def open_segmenter(options: Options) -> "Segmenter":
    """Open the model. Raises `ModelError`, or `InputError` for options that make no sense."""
    from dmmi_core.segmenter import Segmenter

    # Show the progress of an export, which takes up to a minute, once for a model.
    logging.getLogger("dmmi_core.engines.export_process").setLevel(logging.INFO)
    return Segmenter.from_pretrained(options.model, **options.engine_options)


def evaluate_bag(
    path: Path,
    options: Options,
    segmenter: "Callable[[], Segmenter]",
    *,
    output: Path | None = None,
    on_outcome: Sequence[OnOutcome] = (),
) -> Evaluated:
    """Evaluate a bag, and write the results to the bag `output`, if given.

    `segmenter` is called once the input is known to be good; live evaluation does not call it. Raises
    `InputError` or `ModelError`.
    """
    schedule = read_schedule(options.commands)
    with ExitStack() as stack:
        bag = stack.enter_context(Bag(path))
        topics = bag.choose(options.topics, besides=options.ground_truth_topic)
        summary = Summary(bag.start, schedule.texts, _scoring(options, bag, topics, schedule))
        outcomes = _outcomes(options, bag, topics, schedule, segmenter)
        writer = None
        if output:
            new = new_bag(output, storage=options.storage, compress=options.compress)
            writer = ResultWriter(stack.enter_context(new), topics)
        outcome = None
        for outcome in outcomes:
            comparison = summary.add(outcome)
            for call in on_outcome:
                call(outcome, summary.seconds(outcome), comparison)
            if writer:
                writer.add(outcome)
        if outcome is None:
            raise InputError(f"no frames on {', '.join(topics)} in {path}")
        read = topics if options.ground_truth_topic is None else [*topics, options.ground_truth_topic]
        return Evaluated(summary, bag.skipped(read))


def _scoring(options: Options, bag: Bag, topics: list[str], schedule: CommandSchedule) -> "Scoring | None":
    if not options.has_truth:
        return None
    from dmmi_ros.bags.ground_truth import read_ground_truth, read_label_topic
    from dmmi_ros.bags.scoring import Scoring

    if options.ground_truth:
        return Scoring(read_ground_truth(options.ground_truth))
    assert options.ground_truth_topic is not None
    if len(topics) > 1 or any(len(command.requests) > 1 for command in schedule.commands):
        raise InputError("--ground-truth-topic goes with one camera and one request at a time")
    return Scoring(read_label_topic(bag, options.ground_truth_topic, topics[0]))


def _outcomes(
    options: Options,
    bag: Bag,
    topics: list[str],
    schedule: CommandSchedule,
    segmenter: "Callable[[], Segmenter]",
) -> Iterator[Outcome]:
    frames = bag.frames(topics)
    if not options.live:
        from dmmi_ros.bags.offline import evaluate_offline

        return evaluate_offline(frames, schedule, segmenter(), start=bag.start, tracking=options.tracking)
    from dmmi_ros.bags.live import evaluate_live

    if len(topics) > 1:
        raise InputError("--live plays one camera: choose it with --topic")
    tracking = str(options.tracking).lower()
    return evaluate_live(
        frames,
        schedule,
        type_=bag.type_of(topics[0]),
        start=bag.start,
        rate=options.rate,
        parameters={"model": options.model, **options.engine_options, "tracking": tracking},
    )
