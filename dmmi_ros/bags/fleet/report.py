"""The report on a fleet: a self-contained web page."""

from html import escape
from pathlib import Path
from typing import Any

from dmmi_core.visualization.html import table_of, write_page
from dmmi_ros.bags.fleet.figures import bag_table, remarks
from dmmi_ros.bags.summary import notes, table


def write_report(path: Path, title: str, figures: dict[str, Any]) -> None:
    """Write a page of the totals, the worst answers and each bag. Raises `InputError`."""
    lines = [f"<p>{escape(line)}</p>" for line in [*notes(figures["total"]), *remarks(figures)]]
    has_scores = figures["total"]["scores"] is not None
    worst = (
        "lowest IoU; a white line is around the targets"
        if has_scores
        else "presence nearest to its threshold"
    )
    pictures = "".join(answer["figure"] for answer in figures["worst"])
    heading = f"<p>The {len(figures['worst'])} answers with the {worst}, worst first.</p>"
    answers = f"<section><h2>Worst answers</h2>{heading}<div>{pictures}</div></section>"
    bags = f"<section><h2>Bags</h2>{table_of(bag_table(figures))}</section>"
    write_page(path, title, table(figures["total"]), [*lines, answers, bags])
