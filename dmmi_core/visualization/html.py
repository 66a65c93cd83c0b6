"""Building blocks of self-contained web pages."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.files import replaced_file

LONG_SIDE = 480  # pixels, of a picture in a page
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; color: #222; margin: 2em auto; max-width: 1480px }
body { padding: 0 1em }
table { border-collapse: collapse } td, th { padding: .2em .8em; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child { text-align: left }
section { border-top: 1px solid #ccc; margin-top: 1.5em } h2 { font-size: 1.1em; margin: .6em 0 0 }
p { margin: 0 0 .5em; color: #555 } div { display: flex; flex-wrap: wrap; gap: 10px }
figure { margin: 0 } figure img { display: block; max-width: 100%; height: auto } figcaption { color: #555 }
"""


def fitted(image: np.ndarray) -> np.ndarray:
    """Shrink an image so that no side is longer than LONG_SIDE."""
    height, width = image.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def write_page(path: str | Path, title: str, table: Sequence[Sequence[str]], body: Sequence[str]) -> None:
    """Write a page of a title, a table whose first row is its head, and the HTML of `body`.

    Raises InputError if the page cannot be written; an earlier file at `path` then stays.
    """
    page = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{escape(title)}</h1>",
        table_of(table),
        *body,
        "</html>\n",
    ]
    try:
        with replaced_file(path) as new:
            new.write_text("\n".join(page), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """Return the HTML of a table whose first row is its head."""
    head, *rest = rows
    lines = [
        "<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head),
        *("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rest),
    ]
    return "\n".join(["<table>", *lines, "</table>"])


def figure(picture: np.ndarray, *, alt: str, caption: str) -> str:
    """Return the HTML of a picture, uint8 RGB (H, W, 3), with a caption."""
    height, width = picture.shape[:2]
    return (
        f'<figure><img loading="lazy" decoding="async" src="{data_url(picture)}" '
        f'width="{width}" height="{height}" alt="{alt}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def data_url(picture: np.ndarray) -> str:
    """Return a picture, uint8 RGB (H, W, 3), as the data URL of a JPEG."""
    _, jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
