"""The figures of an evaluation: as JSON, and as a table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dmmi_ros.bags.outcomes import OUTCOMES, Answer
from dmmi_ros.bags.reader import Frame

if TYPE_CHECKING:  # it needs PyTorch
    from dmmi_ros.bags.scoring import Scoring

PERCENTILES = (50, 90, 99)
SCORES = ("oIoU", "mIoU", "Acc", "ids kept")


@dataclass
class Run:
    """Frames of one camera in a row that have the same outcome; times in seconds since the bag's start."""

    topic: str
    outcome: str
    start: float
    end: float
    frames: int = 1


@dataclass
class Figures:
    """What came of one request's text: its answers by outcome, and the milliseconds that they took."""

    outcomes: Counter = field(default_factory=Counter)
    runs: list[Run] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    problems: Counter = field(default_factory=Counter)
    _newest: dict[tuple[str, int], Run] = field(default_factory=dict)
    """By topic and `Request.since`: no run goes on where something else was asked in between."""

    def add(self, answer: Answer, seconds: float) -> None:
        self.outcomes[answer.outcome] += 1
        if answer.latency_ms is not None:
            self.latencies.append(answer.latency_ms)
        if answer.problem:
            self.problems[answer.problem] += 1
        series = answer.frame.topic, answer.request.since
        last = self._newest.get(series)
        if last and last.outcome == answer.outcome:
            last.end, last.frames = seconds, last.frames + 1
        else:
            self._newest[series] = Run(answer.frame.topic, answer.outcome, seconds, seconds)
            self.runs.append(self._newest[series])

    def to_dict(self) -> dict:
        frames, counts = sum(self.outcomes.values()), self.outcomes
        answered = counts["no_target"] + counts["one"] + counts["many"]
        return {
            "frames": frames,
            "answered": answered,
            **{outcome: counts[outcome] for outcome in OUTCOMES},
            "latency_ms": _percentiles(self.latencies),
            "problems": dict(self.problems),
            "over_time": [vars(run) for run in self.runs],
        }


class Summary:
    """Takes every answer to `texts`; `start` is that of the bag, in nanoseconds."""

    def __init__(self, start: int, texts: Iterable[str], scoring: "Scoring | None"):
        self._start = start
        self._scoring = scoring
        self._figures = {text: Figures() for text in texts}
        self._frames: Counter = Counter()
        self._idle: Counter = Counter()
        self._last_frame: Frame | None = None
        self._seconds = 0.0

    def add(self, answer: Answer) -> None:
        frame = answer.frame
        if frame is not self._last_frame:  # several requests share a frame
            self._last_frame = frame
            self._seconds = max(self._seconds, self.seconds(answer))
            self._frames[frame.topic] += 1
            self._idle[frame.topic] += answer.request is None
        if answer.request is None:
            return
        self._figures[answer.request.text].add(answer, self.seconds(answer))
        if self._scoring:
            self._scoring.add(answer)

    def seconds(self, answer: Answer) -> float:
        """Since the start of the bag."""
        return round((answer.frame.time - self._start) / 1e9, 6)

    def to_dict(self) -> dict:
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
    """By linear interpolation."""
    found = np.percentile(values, PERCENTILES).round(3).tolist() if values else [None] * len(PERCENTILES)
    return {str(percent): value for percent, value in zip(PERCENTILES, found, strict=True)}


def table(summary: dict) -> list[list[str]]:
    """What `Summary.to_dict` gives, for people: a row of titles, and one for each command."""
    has_scores = summary["scores"] is not None
    titles = ["command", "frames", "answered", *OUTCOMES, *(f"{p} % ms" for p in PERCENTILES)]
    rows = [
        [
            command["command"],
            *(str(command[name]) for name in ("frames", "answered", *OUTCOMES)),
            *(_number(value) for value in command["latency_ms"].values()),
            *(_number((command["scores"] or {}).get(name)) for name in SCORES if has_scores),
        ]
        for command in summary["commands"]
    ]
    return [[*(title.replace("_", " ") for title in titles), *(SCORES if has_scores else ())], *rows]


def notes(summary: dict) -> list[str]:
    """What the table has no place for, a line each."""
    lines = [
        f"{topic}: {counts['frames']} frames, {counts['without_command']} without a command"
        for topic, counts in summary["topics"].items()
    ]
    if coverage := summary["ground_truth"]:
        lines.append(f"ground truth: {coverage['known']} right answers, {coverage['compared']} compared")
    if scores := summary["scores"]:
        lines.append("all answers: " + ", ".join(f"{name} {_number(scores.get(name))}" for name in SCORES))
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
