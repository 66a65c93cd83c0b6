"""An evaluation as a web page that needs nothing beside it: figures, a timeline and pictures."""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from dmmi_core.visualization.html import figure, fitted, write_page
from dmmi_core.visualization.overlay import draw_overlay
from dmmi_ros.bags.outcomes import Answer
from dmmi_ros.bags.summary import notes, table

MOST_PICTURES = 8  # of a command
COLOURS = {
    "no_target": "#ffb040",
    "one": "#009eff",
    "many": "#00c878",
    "dropped": "#c8c8c8",
    "broken": "#e03030",
}
WIDTH, ROW, BAR, TICKS = 1000, 44, 16, 5  # of the timeline, in pixels


@dataclass
class Pictures:
    """A few answers, evenly spread over all, however many come: every `stride`-th is kept."""

    seen: int = 0
    stride: int = 1
    kept: list[tuple[Answer, float]] = field(default_factory=list)

    def add(self, answer: Answer, seconds: float) -> None:
        if self.seen % self.stride == 0:
            if len(self.kept) == MOST_PICTURES:
                self.kept, self.stride = self.kept[::2], 2 * self.stride
            if self.seen % self.stride == 0:
                self.kept.append((answer, seconds))
        self.seen += 1


class Report:
    """Takes every answer and keeps a few. Only `write` draws: answers are added while time counts."""

    def __init__(self):
        self._pictures: dict[str, Pictures] = {}

    def add(self, answer: Answer, seconds: float) -> None:
        """`seconds` since the start of the bag."""
        if answer.result is not None:
            self._pictures.setdefault(answer.request.text, Pictures()).add(answer, seconds)

    def write(self, path: Path, title: str, summary: dict) -> None:
        """`summary` as `Summary.to_dict` gives it. Raises `InputError`."""
        said = [f"<p>{escape(line)}</p>" for line in notes(summary)]
        timeline = f"<section><h2>Over time</h2>{_legend()}{_timeline(summary)}</section>"
        sections = [self._section(command) for command in summary["commands"]]
        write_page(path, title, table(summary), [*said, timeline, *sections])

    def _section(self, command: dict) -> str:
        text = command["command"]
        problems = "".join(
            f"<p>{count} broken: {escape(problem)}</p>" for problem, count in command["problems"].items()
        )
        pictures = [_figure(*kept) for kept in self._pictures.get(text, Pictures()).kept]
        return (
            f"<section><h2>{escape(text)}</h2>{problems}"
            f"<p>{len(pictures)} of {command['answered']} answers.</p>"
            f"<div>{''.join(pictures)}</div></section>"
        )


def _figure(answer: Answer, seconds: float) -> str:
    picture = fitted(draw_overlay(answer.frame.image(), answer.result))
    return figure(picture, alt="answer", caption=f"{seconds:.2f} s, {answer.frame.topic}")


def _legend() -> str:
    names = "".join(
        f'<span><svg width="12" height="12"><rect width="12" height="12" fill="{colour}"/></svg> '
        f"{outcome.replace('_', ' ')}</span>"
        for outcome, colour in COLOURS.items()
    )
    return f"<div>{names}</div>"


def _timeline(summary: dict) -> str:
    """A bar for each command and camera, as an SVG; a frame lasts until the next would be due."""
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
