"""The report of an evaluation: a self-contained web page with figures, a timeline and examples."""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from dmmi_core.visualization.html import figure, fitted, write_page
from dmmi_core.visualization.overlay import draw_overlay
from dmmi_ros.bags.outcomes import Outcome
from dmmi_ros.bags.summary import notes, table

MAX_EXAMPLES = 8  # for each request
COLOURS = {
    "no_target": "#ffb040",
    "one": "#009eff",
    "many": "#00c878",
    "dropped": "#c8c8c8",
    "broken": "#e03030",
}
WIDTH, ROW, BAR, TICKS = 1000, 44, 16, 5  # of the timeline, in pixels


@dataclass
class Examples:
    """A few outcomes spread evenly over all: every `stride`-th, which doubles as more come."""

    seen: int = 0
    stride: int = 1
    kept: list[tuple[Outcome, float]] = field(default_factory=list)

    def add(self, outcome: Outcome, seconds: float) -> None:
        if self.seen % self.stride == 0:
            if len(self.kept) == MAX_EXAMPLES:
                self.kept, self.stride = self.kept[::2], 2 * self.stride
            if self.seen % self.stride == 0:
                self.kept.append((outcome, seconds))
        self.seen += 1


class Report:
    """Collects examples and writes the page. Only `write` draws, so that `add` does not slow evaluation."""

    def __init__(self) -> None:
        self._examples: dict[str, Examples] = {}

    def add(self, outcome: Outcome, seconds: float, _comparison: object = None) -> None:
        """Add an outcome, at `seconds` since the start of the bag."""
        if outcome.request is not None and outcome.result is not None:
            self._examples.setdefault(outcome.request.text, Examples()).add(outcome, seconds)

    def write(self, path: Path, title: str, summary: dict) -> None:
        """Write the page to `path`; `summary` is that of `Summary.to_dict`. Raises `InputError`."""
        remarks = [f"<p>{escape(line)}</p>" for line in notes(summary)]
        timeline = f"<section><h2>Over time</h2>{_legend()}{_timeline(summary)}</section>"
        sections = [self._section(command) for command in summary["commands"]]
        write_page(path, title, table(summary), [*remarks, timeline, *sections])

    def _section(self, command: dict) -> str:
        text = command["command"]
        problems = "".join(
            f"<p>{count} broken: {escape(problem)}</p>" for problem, count in command["problems"].items()
        )
        examples = [_figure(*kept) for kept in self._examples.get(text, Examples()).kept]
        return (
            f"<section><h2>{escape(text)}</h2>{problems}"
            f"<p>{len(examples)} of {command['answered']} answers.</p>"
            f"<div>{''.join(examples)}</div></section>"
        )


def _figure(outcome: Outcome, seconds: float) -> str:
    assert outcome.result is not None  # see Report.add
    overlay = fitted(draw_overlay(outcome.frame.image(), outcome.result))
    return figure(overlay, alt="answer", caption=f"{seconds:.2f} s, {outcome.frame.topic}")


def _legend() -> str:
    names = "".join(
        f'<span><svg width="12" height="12"><rect width="12" height="12" fill="{colour}"/></svg> '
        f"{outcome.replace('_', ' ')}</span>"
        for outcome, colour in COLOURS.items()
    )
    return f"<div>{names}</div>"


def _timeline(summary: dict) -> str:
    """Return an SVG with a row for each request and camera; a frame lasts until the next is due."""
    rows = [
        (command["command"], topic, [run for run in command["over_time"] if run["topic"] == topic])
        for command in summary["commands"]
        for topic in summary["topics"]
    ]
    most_frames = max((topic["frames"] for topic in summary["topics"].values()), default=0)
    period = summary["seconds"] / max(1, most_frames - 1) or 1.0
    scale = WIDTH / (summary["seconds"] + period)
    height = ROW * len(rows) + 20
    bars = "".join(_bar(index, *row, scale, period) for index, row in enumerate(rows))
    ticks = "".join(
        f'<text x="{index * WIDTH / TICKS:.0f}" y="{height - 4}">{index * WIDTH / TICKS / scale:.1f} s</text>'
        for index in range(TICKS)
    )
    return f'<svg viewBox="0 0 {WIDTH} {height}" font-size="13" fill="#555">{bars}{ticks}</svg>'


def _bar(index: int, text: str, topic: str, runs: list[dict], scale: float, period: float) -> str:
    top = index * ROW + ROW - BAR
    rects = "".join(
        f'<rect x="{run["start"] * scale:.1f}" y="{top}" height="{BAR}" '
        f'width="{(run["end"] - run["start"] + period) * scale:.1f}" fill="{COLOURS[run["outcome"]]}">'
        f"<title>{run['outcome'].replace('_', ' ')}: {run['frames']} frames</title></rect>"
        for run in runs
    )
    return f'<text x="0" y="{top - 5}">{escape(text)} · {escape(topic)}</text>{rects}'
