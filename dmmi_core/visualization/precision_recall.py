"""Precision-recall curve as SVG."""

from collections.abc import Sequence

SIDE, MARGIN = 320, 48  # pixels: length of the axes, width of the margin around them
STYLE = "text { font: 13px system-ui, sans-serif; fill: #222 } path { fill: none; stroke-width: 2 }"


def precision_recall_svg(recall: Sequence[float], precision: Sequence[float], chosen: int, label: str) -> str:
    """Return the SVG of a curve, in percent, that marks and labels the point at index `chosen`."""
    points = [
        (MARGIN + SIDE * r / 100, MARGIN + SIDE * (1 - p / 100))
        for r, p in zip(recall, precision, strict=True)
    ]
    line = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    x, y = points[chosen]
    ticks = "".join(
        f'<text x="{MARGIN + SIDE * t / 100}" y="{MARGIN + SIDE + 18}" text-anchor="middle">{t}</text>'
        f'<text x="{MARGIN - 6}" y="{MARGIN + SIDE * (1 - t / 100) + 4}" text-anchor="end">{t}</text>'
        for t in (0, 25, 50, 75, 100)
    )
    size = SIDE + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}"><style>{STYLE}</style>'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>{ticks}'
        f'<path d="{line}" stroke="#0072b2"/><circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#d55e00"/>'
        f'<text x="{x - 10:.1f}" y="{y + 22:.1f}" text-anchor="end">{label}</text>'
        f'<text x="{size / 2}" y="{size - 10}" text-anchor="middle">recall, %</text>'
        f'<text transform="translate(14 {size / 2}) rotate(-90)" text-anchor="middle">precision, %</text>'
        "</svg>\n"
    )
