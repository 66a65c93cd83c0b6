"""The figures of an evaluation, as JSON and as a table."""

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dmmi_ros.bags.command_schedule import Request
from dmmi_ros.bags.outcomes import OUTCOME_KINDS, Outcome
from dmmi_ros.bags.reader import RecordedFrame

if TYPE_CHECKING:  # imports PyTorch
    from dmmi_ros.bags.scoring import Comparison, Scoring

PERCENTILES = (50, 90, 99)
SCORES = ("oIoU", "mIoU", "Acc", "ids kept")


@dataclass
class Run:
    """Consecutive frames of a camera with the same outcome; times are seconds since the bag's start."""

    topic: str
    outcome: str
    start: float
    end: float
    frames: int = 1


@dataclass
class Figures:
    """Counts of the outcomes of one request's text, their runs over time, and latencies in ms."""

    outcomes: Counter = field(default_factory=Counter)
    runs: list[Run] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    problems: Counter = field(default_factory=Counter)
    _newest: dict[tuple[str, int], Run] = field(default_factory=dict)
    """The newest run by topic and `Request.since`: a run ends if the request pauses."""

    def add(self, outcome: Outcome, request: Request, seconds: float) -> None:
        """Add an outcome of `request`, at `seconds` since the start of the bag."""
        self.outcomes[outcome.kind] += 1
        if outcome.latency_ms is not None:
            self.latencies.append(outcome.latency_ms)
        if outcome.problem:
            self.problems[outcome.problem] += 1
        series = outcome.frame.topic, request.since
        last = self._newest.get(series)
        if last and last.outcome == outcome.kind:
            last.end, last.frames = seconds, last.frames + 1
        else:
            self._newest[series] = Run(outcome.frame.topic, outcome.kind, seconds, seconds)
            self.runs.append(self._newest[series])

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON has them."""
        frames, counts = sum(self.outcomes.values()), self.outcomes
        answered = counts["no_target"] + counts["one"] + counts["many"]
        return {
            "frames": frames,
            "answered": answered,
            **{outcome: counts[outcome] for outcome in OUTCOME_KINDS},
            "latency_ms": _percentiles(self.latencies),
            "problems": dict(self.problems),
            "over_time": [vars(run) for run in self.runs],
        }

    def sums(self) -> dict[str, Any]:
        """Return what can be added up, for `join`, as JSON has it; latencies in few bytes."""
        latencies = np.asarray(self.latencies, "<f4").tobytes()
        return {
            "outcomes": dict(self.outcomes),
            "problems": dict(self.problems),
            "latencies": base64.b64encode(latencies).decode("ascii"),
        }

    def join(self, sums: dict[str, Any]) -> None:
        """Add the `sums` of other frames."""
        self.outcomes.update(sums["outcomes"])
        self.problems.update(sums["problems"])
        self.latencies += np.frombuffer(base64.b64decode(sums["latencies"]), "<f4").tolist()


class Summary:
    """Sums up the outcomes of requests `texts`; `start` is that of the bag in nanoseconds.

    Without these, it sums up what `join` is given.
    """

    def __init__(self, start: int = 0, texts: Iterable[str] = (), scoring: "Scoring | None" = None):
        self._start = start
        self._scoring = scoring
        self._figures = {text: Figures() for text in texts}
        self._frames: Counter = Counter()
        self._idle: Counter = Counter()
        self._last_frame: RecordedFrame | None = None
        self._seconds = 0.0

    def add(self, outcome: Outcome) -> "Comparison | None":
        """Add the next outcome, in the order of frames; return how it compares with its ground truth."""
        frame, request = outcome.frame, outcome.request
        if frame is not self._last_frame:  # several requests share a frame
            self._last_frame = frame
            self._seconds = max(self._seconds, self.seconds(outcome))
            self._frames[frame.topic] += 1
            self._idle[frame.topic] += request is None
        if request is None:
            return None
        self._figures[request.text].add(outcome, request, self.seconds(outcome))
        return self._scoring.add(outcome) if self._scoring else None

    def sums(self) -> dict[str, Any]:
        """Return what can be added up over bags, for `join`, as JSON has it."""
        return {
            "seconds": self._seconds,
            "frames": dict(self._frames),
            "idle": dict(self._idle),
            "commands": {text: figures.sums() for text, figures in self._figures.items()},
            "scoring": self._scoring.sums() if self._scoring else None,
        }

    def join(self, sums: dict[str, Any]) -> None:
        """Add the `sums` of another bag."""
        self._seconds += sums["seconds"]
        self._frames.update(sums["frames"])
        self._idle.update(sums["idle"])
        for text, figures in sums["commands"].items():
            self._figures.setdefault(text, Figures()).join(figures)
        if self._scoring:
            self._scoring.join(sums["scoring"])

    def seconds(self, outcome: Outcome) -> float:
        """Return the time of the frame in seconds since the start of the bag."""
        return round((outcome.frame.time - self._start) / 1e9, 6)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON has them; see docs/bags.md."""
        scoring = self._scoring
        return {
            "seconds": self._seconds,
            "topics": {
                topic: {"frames": count, "without_command": self._idle[topic]}
                for topic, count in sorted(self._frames.items())
            },
            "commands": [
                {
                    "command": text,
                    **figures.to_dict(),
                    "scores": scoring.scores(text) if scoring else None,
                }
                for text, figures in self._figures.items()
            ],
            "ground_truth": scoring.coverage() if scoring else None,
            "scores": scoring.totals() if scoring else None,
        }


def _percentiles(values: list[float]) -> dict[str, float | None]:
    """Return `PERCENTILES` of the values by linear interpolation; None if there are no values."""
    if not values:
        return dict.fromkeys(map(str, PERCENTILES))
    found = np.percentile(values, PERCENTILES).round(3).tolist()
    return {str(percent): value for percent, value in zip(PERCENTILES, found, strict=True)}


def table(summary: dict) -> list[list[str]]:
    """Return `Summary.to_dict` as a table: a row of titles, and a row for each request."""
    has_scores = summary["scores"] is not None
    titles = ["command", "frames", "answered", *OUTCOME_KINDS, *(f"{p} % ms" for p in PERCENTILES)]
    rows = [
        [
            command["command"],
            *(str(command[name]) for name in ("frames", "answered", *OUTCOME_KINDS)),
            *(_number(value) for value in command["latency_ms"].values()),
            *(_number((command["scores"] or {}).get(name)) for name in SCORES if has_scores),
        ]
        for command in summary["commands"]
    ]
    return [[*(title.replace("_", " ") for title in titles), *(SCORES if has_scores else ())], *rows]


def notes(summary: dict) -> list[str]:
    """Return more figures than the table has, as lines; `summary` also has `Bag.skipped` as "skipped"."""
    lines = [
        f"{topic}: {counts['frames']} frames, {counts['without_command']} without a command"
        for topic, counts in summary["topics"].items()
    ]
    if skipped := summary["skipped"]:
        lines.append("not read: " + ", ".join(f"{each['topic']} ({each['type']})" for each in skipped))
    if coverage := summary["ground_truth"]:
        lines.append(f"ground truth: {coverage['known']} right answers, {coverage['compared']} compared")
    if scores := summary["scores"]:
        lines.append("all answers: " + ", ".join(f"{name} {_number(scores.get(name))}" for name in SCORES))
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
